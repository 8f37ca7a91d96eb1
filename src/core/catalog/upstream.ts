import { parseRelativePath, type RelativePath } from '../kernel/files/relative-path.ts';
import { type ModelId, parseModelId } from '../kernel/model-id.ts';
import { isSha256, type Sha256 } from '../kernel/sha256.ts';

/** A file of a repo at one commit. At least one of `oid` and `sha256` is known. */
export interface UpstreamFile {
  readonly path: RelativePath;
  /** In bytes. */
  readonly size: number;
  /** The git blob id that the repo has for the path: of the content, or of the pointer to it when `sha256` is there too. 40 hex digits. */
  readonly oid?: string;
  /** Of the content. */
  readonly sha256?: Sha256;
}

/** All that a repo has at one commit, also what was not taken (docs/on-disk-format.md, "manifests/"). */
export interface Upstream {
  readonly repo: ModelId;
  /** 40 hex digits. */
  readonly commit: string;
  readonly files: readonly UpstreamFile[];
  /** Whether not everybody might have it there: it was private or gated. Absent where nobody looked. */
  readonly restricted?: boolean;
}

/** More files than a source may list. */
const maxFiles = 100_000;
const maxBytes = 2 ** 50;

/** The listing that a manifest or a note of a change holds; undefined when there is none, or it cannot be used: nothing depends on it. */
export function parseUpstream(value: unknown): Upstream | undefined {
  const { repo, commit, files, restricted } = (value ?? {}) as Record<string, unknown>;
  if (!isCommit(commit) || !Array.isArray(files) || files.length > maxFiles) return undefined;
  try {
    return {
      repo: parseModelId(String(repo)),
      commit,
      files: files.map(parseFile),
      ...(typeof restricted === 'boolean' && { restricted }),
    };
  } catch {
    return undefined;
  }
}

function parseFile(value: unknown): UpstreamFile {
  const { path, size, oid, sha256 } = (value ?? {}) as Record<string, unknown>;
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0 || size > maxBytes) throw new Error('its size is impossible');
  const ids = { ...(isCommit(oid) && { oid }), ...(isSha256(sha256) && { sha256 }) };
  if (Object.keys(ids).length === 0) throw new Error('it has no id');
  return { path: parseRelativePath(String(path)), size, ...ids };
}

const isCommit = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{40}$/.test(value);
