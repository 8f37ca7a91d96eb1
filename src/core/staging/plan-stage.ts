import type { Manifest, ManifestFile } from '../protocol/manifest.ts';
import { type Piece, pieceKey, splitIntoPieces } from '../transfer/pieces.ts';

/** Where a file of the new copy comes from. */
export type FileSource =
  /** The same content in the copy that is there; no byte moves. */
  | { readonly action: 'reuse'; readonly file: ManifestFile; readonly from: string }
  /** Pieces of it are here already, in the unfinished copy or in the old one; the rest is fetched. */
  | {
      readonly action: 'fetch';
      readonly file: ManifestFile;
      readonly fetch: readonly Piece[];
      /** Pieces that the unfinished copy should hold; to be checked. */
      readonly resumed: readonly Piece[];
      /** Pieces that the old copy should hold at the same place, in the file of the same path; to be checked. */
      readonly copied: readonly Piece[];
    };

/** How a staged copy is going to be made. */
export interface StagePlan {
  readonly manifest: Manifest;
  readonly files: readonly FileSource[];
  readonly bytesTotal: number;
  readonly bytesToFetch: number;
  readonly bytesToReuse: number;
}

/** What is known to be here. */
export interface Present {
  /** The manifest of the copy that is there and the paths of its files that are no longer good. */
  readonly copy?: { readonly manifest: Manifest; readonly changed: ReadonlySet<string> } | undefined;
  /** Keys of the pieces that a journal names. */
  readonly journal: ReadonlySet<string>;
}

/** Decides for every file and piece whether it is here or has to come. Pure. */
export function planStage(manifest: Manifest, { copy, journal }: Present): StagePlan {
  const good = copy?.manifest.files.filter(({ path }) => !copy.changed.has(path)) ?? [];
  const byContent = new Map(good.map((file) => [file.sha256, file]));
  // A file that is not what it was may have lost nothing but its date, or one chunk; so what it held is looked for there.
  const byPath = new Map(copy?.manifest.files.map((file) => [file.path, file]));
  const files = manifest.files.map((file): FileSource => {
    const same = byContent.get(file.sha256);
    if (same !== undefined && same.size === file.size) return { action: 'reuse', file, from: same.path };
    const old = byPath.get(file.path);
    const [fetch, resumed, copied]: [Piece[], Piece[], Piece[]] = [[], [], []];
    const held = new Set(old === undefined ? [] : splitIntoPieces(old).map(placeOf));
    for (const piece of splitIntoPieces(file)) {
      if (journal.has(pieceKey(piece))) resumed.push(piece);
      else if (held.has(placeOf(piece))) copied.push(piece);
      else fetch.push(piece);
    }
    return { action: 'fetch', file, fetch, resumed, copied };
  });
  const bytesTotal = manifest.files.reduce((sum, { size }) => sum + size, 0);
  const bytesToFetch = files.reduce((sum, source) => sum + (source.action === 'fetch' ? sizeOf(source.fetch) : 0), 0);
  return { manifest, files, bytesTotal, bytesToFetch, bytesToReuse: bytesTotal - bytesToFetch };
}

/** The same for two pieces with the same content at the same place. */
const placeOf = ({ start, end, sha256 }: Piece): string => `${start} ${end} ${sha256}`;

/** Bytes in some pieces. */
export const sizeOf = (pieces: readonly Piece[]): number => pieces.reduce((sum, { start, end }) => sum + end - start, 0);
