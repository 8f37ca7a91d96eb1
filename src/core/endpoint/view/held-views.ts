import { createHash } from 'node:crypto';
import type { Upstream, UpstreamFile } from '../../catalog/upstream.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { Manifest, ManifestFile } from '../../protocol/manifest.ts';
import type { HubFile, HubRepo } from '../contract.ts';
import { gitBlobId, lfsFile, wouldBeLfs } from './file-identity.ts';

/** The store's files of a model, and its known source. */
export interface HeldModel {
  readonly manifest: Manifest;
  /** All files of the source at its commit; undefined if they were not saved, or there is no source. */
  readonly upstream: Upstream | undefined;
}

/** One model under its commits. */
export interface HeldViews {
  readonly id: ModelId;
  /** Only the store's files, under a commit computed from the content. */
  readonly own: HubRepo;
  /** The source's own commit, with its complete listing as far as it is known; absent without a source. */
  readonly source?: HubRepo | undefined;
  /** Whether all files in the source's listing are here. */
  readonly isWhole: boolean;
  /** Further revision names of this model. */
  readonly names: readonly string[];
}

/**
 * Computes a commit for a model without one: sha1 over `skulk-commit LF` and one `path NUL size NUL sha256 LF` line per file, sorted by
 * path. It is the same for the same content on every machine, and has 40 hex digits, as clients expect. Pure.
 */
export function contentCommit(files: readonly Pick<ManifestFile, 'path' | 'size' | 'sha256'>[]): string {
  const hash = createHash('sha1').update('skulk-commit\n');
  for (const { path, size, sha256 } of files.toSorted(byPath)) hash.update(`${path}\0${size}\0${sha256}\n`);
  return hash.digest('hex');
}

/**
 * The views of a model in the store. A Hub's commit is never shown with less than the Hub's complete listing: clients cache a listing
 * under its commit permanently, and use it for the real Hub too (docs/hub-endpoint.md, "Commits"). Pure.
 * @throws Error if the git id of a small file is not known yet
 */
export function viewsOf({ manifest, upstream }: HeldModel): HeldViews {
  const { model_id: id, files, created_at, revision } = manifest;
  const listed = new Map(upstream?.files.map((file) => [file.path as string, file]));
  const held = files.map((file) => toHubFile(file, listed.get(file.path)));
  const time = toTime(created_at);
  const times = { lastModified: time, createdAt: time };
  const own = makeRepo(id, contentCommit(files), held, { isComplete: true, ...times });
  const names = revision === null ? [] : [revision];
  const commit = upstream?.commit ?? manifest.commit;
  if (commit === null) return { id, own, isWhole: true, names };
  if (upstream === undefined)
    return { id, own, source: makeRepo(id, commit, held, { isComplete: false, ...times }), isWhole: false, names };
  const source = repoOf(id, upstream, { held, ...times });
  return { id, own, source, isWhole: source.files.every(({ isHeld }) => isHeld), names };
}

/** A source's listing as a repo. Pure. @param held the store's files of the model, at any commit */
export function repoOf(
  id: ModelId,
  { commit, files }: Upstream,
  { held, lastModified, createdAt }: { readonly held: readonly HubFile[]; readonly lastModified: string; readonly createdAt: string },
): HubRepo {
  const present = new Map(held.map((file) => [file.path as string, file]));
  const listed = files.map((file) => ofListing(file, present.get(file.path)));
  return makeRepo(id, commit, listed, { isComplete: true, lastModified, createdAt });
}

/** The `main` branch. The setting decides it, independent of whether the source is reachable. Pure. */
export const mainOf = ({ own, source, isWhole }: HeldViews, isUpstreamOn: boolean): HubRepo =>
  source !== undefined && (isWhole || isUpstreamOn) ? source : own;

/** ISO 8601 with milliseconds, as clients parse it. An invalid time becomes the epoch. Pure. */
export function toTime(text: string | undefined): string {
  const time = new Date(text ?? '');
  return Number.isNaN(time.getTime()) ? new Date(0).toISOString() : time.toISOString();
}

function makeRepo(
  id: ModelId,
  commit: string,
  files: readonly HubFile[],
  rest: Pick<HubRepo, 'isComplete' | 'lastModified' | 'createdAt'>,
): HubRepo {
  const sorted = files.toSorted(byPath);
  return { id, commit, files: sorted, byPath: new Map(sorted.map((file) => [file.path, file])), ...rest };
}

const toHubFile = (file: ManifestFile, listed: UpstreamFile | undefined): HubFile => withKindOf(identify(file, listed), file);

const withKindOf = (file: HubFile, { gguf_kind }: Pick<HubFile, 'gguf_kind'>): HubFile =>
  gguf_kind === undefined ? file : { ...file, gguf_kind };

/** A file of the store. The source's data about the same content has priority over the Hub's general rules. */
function identify(file: ManifestFile, listed: UpstreamFile | undefined): HubFile {
  const { path, size, sha256, hub_id } = file;
  if (listed?.sha256 === sha256) return lfsFile(file, { isHeld: true, oid: listed.oid });
  if (listed !== undefined && listed.sha256 === undefined && listed.oid === hub_id)
    return { path, size, oid: listed.oid ?? '', isHeld: true, sha256 };
  // Before listings were saved, a sha256 as id came from the Hub.
  if (hub_id === sha256 || wouldBeLfs(file)) return lfsFile(file, { isHeld: true });
  if (size === 0) return { path, size, oid: gitBlobId(''), isHeld: true, sha256 };
  if (hub_id === undefined) throw new Error(`the git id of ${path} is not known`);
  return { path, size, oid: hub_id, isHeld: true, sha256 };
}

/** A file in a source's listing. It is held if the store has the same content. */
function ofListing(file: UpstreamFile, held: HubFile | undefined): HubFile {
  const { path, size, oid = '', sha256 } = file;
  const isHeld =
    held !== undefined &&
    held.size === size &&
    (sha256 === undefined ? held.oid === oid && held.lfs === undefined : held.lfs?.sha256 === sha256);
  const listed: HubFile =
    sha256 === undefined
      ? { path, size, oid, isHeld, ...(isHeld && { sha256: held.sha256 }) }
      : lfsFile({ path, size, sha256 }, { isHeld, oid: file.oid });
  return isHeld ? withKindOf(listed, held) : listed;
}

/** By code unit, as the Hub sorts. */
const byPath = (a: { readonly path: string }, b: { readonly path: string }): number => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0);
