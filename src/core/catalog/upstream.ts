import { parseRelativePath, type RelativePath } from '../kernel/files/relative-path.ts';
import { type ModelId, parseModelId } from '../kernel/model-id.ts';
import { isSha256, type Sha256 } from '../kernel/sha256.ts';

/** A file of a repo at one commit. It has `oid`, `sha256`, or both. */
export interface UpstreamFile {
  readonly path: RelativePath;
  /** In bytes. */
  readonly size: number;
  /** The repo's git blob id: of the content, or of its pointer if `sha256` is present too. 40 hex digits. */
  readonly oid?: string;
  /** The digest of the content. */
  readonly sha256?: Sha256;
}

/** All files of a repo at one commit, including those that were not taken (docs/on-disk-format.md, "manifests/"). */
export interface Upstream {
  readonly repo: ModelId;
  /** 40 hex digits. */
  readonly commit: string;
  readonly files: readonly UpstreamFile[];
  /** Whether the repo was private or gated. Absent if unknown. */
  readonly restricted?: boolean;
}

/** More files than a source may list. */
const maxFiles = 100_000;
const maxBytes = 2 ** 50;

/** Parses the listing in a manifest or in the record of a change; undefined if it is missing or unusable, because nothing depends on it. */
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
