import type { Manifest, ManifestFile } from '../protocol/manifest.ts';
import { type Piece, pieceKey, splitIntoPieces } from '../transfer/pieces.ts';

/** The source of a file of the new copy. */
export type FileSource =
  /** The existing copy has the same content, so no byte moves. */
  | { readonly action: 'reuse'; readonly file: ManifestFile; readonly from: string }
  /** Some of its pieces are in the unfinished copy or in the old one; the rest is fetched. */
  | {
      readonly action: 'fetch';
      readonly file: ManifestFile;
      readonly fetch: readonly Piece[];
      /** Pieces that the unfinished copy should contain; still to be verified. */
      readonly resumed: readonly Piece[];
      /** Pieces that the old copy should contain in the file of the same path, at the same position; still to be verified. */
      readonly copied: readonly Piece[];
    };

/** The plan for building a staged copy. */
export interface StagePlan {
  readonly manifest: Manifest;
  readonly files: readonly FileSource[];
  readonly bytesTotal: number;
  readonly bytesToFetch: number;
  readonly bytesToReuse: number;
}

/** The data that is known to be here. */
export interface Present {
  /** The manifest of the existing copy, and the paths of its changed files. */
  readonly copy?: { readonly manifest: Manifest; readonly changed: ReadonlySet<string> } | undefined;
  /** The keys of the journalled pieces. */
  readonly journal: ReadonlySet<string>;
}

/** Decides for every file and piece whether it is here or must be fetched. Pure. */
export function planStage(manifest: Manifest, { copy, journal }: Present): StagePlan {
  const good = copy?.manifest.files.filter(({ path }) => !copy.changed.has(path)) ?? [];
  const byContent = new Map(good.map((file) => [file.sha256, file]));
  // A changed file may only have a new date, or one damaged chunk. So its old pieces are checked.
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

/** A key that is equal for two pieces with the same content at the same position. */
const placeOf = ({ start, end, sha256 }: Piece): string => `${start} ${end} ${sha256}`;

/** The number of bytes in some pieces. */
export const sizeOf = (pieces: readonly Piece[]): number => pieces.reduce((sum, { start, end }) => sum + end - start, 0);
