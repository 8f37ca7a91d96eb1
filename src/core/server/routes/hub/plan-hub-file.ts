import type { HubFile, HubRepo } from '../../../endpoint/contract.ts';
import { etagOf } from '../../../endpoint/view/file-identity.ts';
import { type FileRequest, type FileResponse, parseRange, planResponse } from '../../files/plan-file-response.ts';

/** The bytes to send for a file: its content, or its pointer. */
export interface HubBytes {
  readonly size: number;
  /** The id of the bytes in clients' caches. */
  readonly id: string;
  /** Whether it is the content of an LFS file: then it has the headers of the Hub's links. */
  readonly isLinked: boolean;
}

/** The content of a file. */
export const contentOf = (file: HubFile): HubBytes => ({ size: file.size, id: etagOf(file), isLinked: file.lfs !== undefined });

/** How an answer may be cached. */
export interface Caching {
  /** The URL contains the commit, so its answer never changes. */
  readonly isImmutable: boolean;
  /** Whether all clients may read it. */
  readonly isPublic: boolean;
}

/** Plans the answer for a file of a Hub. Pure. docs/hub-endpoint.md, "Bytes", lists which client needs which header. */
export function planHubFile(
  request: FileRequest,
  {
    repo,
    path,
    bytes,
    caching,
  }: { readonly repo: Pick<HubRepo, 'commit'>; readonly path: string; readonly bytes: HubBytes; readonly caching: Caching },
): FileResponse {
  const plan = planResponse(request, bytes);
  const headers = {
    ...plan.headers,
    'X-Repo-Commit': repo.commit,
    ...(bytes.isLinked && { 'X-Linked-Etag': `"${bytes.id}"`, 'X-Linked-Size': String(bytes.size) }),
    'Cache-Control': cacheControl(caching),
  };
  // With a 416 for an empty file, @huggingface/hub cannot download a model that contains one.
  if (bytes.size === 0 && plan.status === 416 && parseRange(request.range, 0) !== undefined)
    return {
      status: 200,
      headers: { ...headers, ...typeOf(path), 'Content-Length': '0', 'Content-Range': 'bytes */0' },
      range: { start: 0, end: 0 },
    };
  if (plan.status === 412 || plan.status === 416) return { ...plan, headers: { ...headers, 'Content-Length': '0' } };
  return { ...plan, headers: plan.status === 304 ? headers : { ...headers, ...typeOf(path) } };
}

const cacheControl = ({ isImmutable, isPublic }: Caching): string =>
  isImmutable ? `${isPublic ? 'public' : 'private'}, max-age=31536000, immutable` : 'no-cache';

/** Never a type that a browser would show, or that clients interpret. */
const typeOf = (path: string): Readonly<Record<string, string>> => ({
  'Content-Type': 'application/octet-stream',
  'Content-Disposition': disposition(path.slice(path.lastIndexOf('/') + 1)),
});

/** The name under which the file is saved (RFC 6266). Pure. */
export function disposition(name: string): string {
  const encoded = encodeURIComponent(name).replaceAll(/['()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
  const plain = name.replaceAll(/[^\x20-\x7e]|["\\%;]/g, '_');
  return `inline; filename*=UTF-8''${encoded}; filename="${plain}"`;
}
