import { createHash } from 'node:crypto';
import { type HubFile, HubRefusal, type HubRepo } from '../contract.ts';

/** The last commit of an entry, which is always the repo's. */
interface LastCommit {
  readonly id: string;
  readonly title: string;
  readonly date: string;
}

/** An entry of a listing in a Hub's format. */
export type TreeEntry =
  | { readonly type: 'directory'; readonly oid: string; readonly size: 0; readonly path: string; readonly lastCommit?: LastCommit }
  | {
      readonly type: 'file';
      readonly oid: string;
      readonly size: number;
      readonly path: string;
      readonly lfs?: { readonly oid: string; readonly size: number; readonly pointerSize: number };
      readonly lastCommit?: LastCommit;
    };

/** The options of a listing. */
export interface TreeOptions {
  /** Also include the content of directories. */
  readonly isRecursive: boolean;
  /** Also include the last commit of each entry: @huggingface/hub uses it as the name of a snapshot's directory. */
  readonly isExpanded: boolean;
}

/**
 * The entries of a directory of a repo, including directories, sorted by path: llama.cpp takes the first file that matches. Pure.
 * @param directory without a trailing slash; empty for the whole repo
 * @throws HubRefusal entryNotFound; unreachable if the listing of the commit is incomplete
 */
export function listTree(repo: HubRepo, directory: string, { isRecursive, isExpanded }: TreeOptions): readonly TreeEntry[] {
  requireListing(repo);
  const prefix = directory === '' ? '' : `${directory}/`;
  const files = repo.files.filter(({ path }) => path.startsWith(prefix));
  if (files.length === 0 && directory !== '') throw noEntry(repo, directory);
  const more = isExpanded ? { lastCommit: lastCommitOf(repo) } : {};
  const entries = new Map<string, TreeEntry>();
  for (const file of files) {
    for (const inner of directoriesOf(file.path, prefix.length)) {
      if (!entries.has(inner)) entries.set(inner, { ...directoryEntry(repo, inner), ...more });
      if (!isRecursive) break;
    }
    if (isRecursive || !file.path.includes('/', prefix.length)) entries.set(file.path, { ...fileEntry(file), ...more });
  }
  return [...entries.values()].toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

/**
 * The entries of some paths. Omits paths that the repo does not have. Pure.
 * @throws HubRefusal unreachable if a path is not in an incomplete listing
 */
export function listPaths(repo: HubRepo, paths: readonly string[], { isExpanded }: Pick<TreeOptions, 'isExpanded'>): readonly TreeEntry[] {
  const more = isExpanded ? { lastCommit: lastCommitOf(repo) } : {};
  const directories = new Set(repo.files.flatMap(({ path }) => directoriesOf(path, 0)));
  return [...new Set(paths)].flatMap((given): readonly TreeEntry[] => {
    const path = given.replace(/^\/+|\/+$/g, '');
    const file = repo.byPath.get(path);
    if (file !== undefined) return [{ ...fileEntry(file), ...more }];
    if (directories.has(path)) return [{ ...directoryEntry(repo, path), ...more }];
    requireListing(repo);
    return [];
  });
}

/**
 * A file of a repo.
 * @throws HubRefusal entryNotFound if the complete listing of the commit does not have it, unreachable if that listing is unknown
 */
export function findFile(repo: HubRepo, path: string): HubFile {
  const file = repo.byPath.get(path);
  if (file !== undefined) return file;
  requireListing(repo);
  throw noEntry(repo, path);
}

/** Clients would permanently cache an incomplete listing as the complete one. */
export function requireListing({ id, commit, isComplete }: HubRepo): void {
  if (isComplete) return;
  throw new HubRefusal(
    'unreachable',
    `the store has files of ${id} at ${commit.slice(0, 12)}, but not the complete file list of that commit, and Hugging Face cannot be asked now`,
  );
}

/** The last commit in all entries of a repo. */
export const lastCommitOf = ({ commit, lastModified }: Pick<HubRepo, 'commit' | 'lastModified'>): LastCommit => ({
  id: commit,
  title: 'As the store has it',
  date: lastModified,
});

const noEntry = ({ id, commit }: HubRepo, path: string): HubRefusal =>
  new HubRefusal('entryNotFound', `${id} has no ${JSON.stringify(path.slice(0, 200))} at ${commit.slice(0, 12)}`, { commit });

function fileEntry({ path, size, oid, lfs }: HubFile): TreeEntry {
  return {
    type: 'file',
    oid,
    size,
    path,
    ...(lfs !== undefined && { lfs: { oid: lfs.sha256, size, pointerSize: lfs.pointerSize } }),
  };
}

/** The id of a directory is computed from its name and the commit: each directory needs one, but no client uses it with git. */
const directoryEntry = ({ commit }: HubRepo, path: string): TreeEntry => ({
  type: 'directory',
  oid: createHash('sha1').update(`skulk-tree\n${commit}\0${path}`).digest('hex'),
  size: 0,
  path,
});

/** The directories of a path from a position on, outermost first. */
function directoriesOf(path: string, from: number): readonly string[] {
  const found: string[] = [];
  for (let end = path.indexOf('/', from); end !== -1; end = path.indexOf('/', end + 1)) found.push(path.slice(0, end));
  return found;
}
