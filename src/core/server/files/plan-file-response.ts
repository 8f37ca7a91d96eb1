import { SkulkError } from '../../kernel/errors.ts';
import type { Sha256 } from '../../kernel/sha256.ts';
import type { ByteRange } from '../../store/contract.ts';

/** A client's request for a file. */
export interface FileRequest {
  readonly method: string;
  readonly range?: string | undefined;
  readonly ifRange?: string | undefined;
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
}

/** The headers of an answer, and the bytes that follow. */
export interface FileResponse {
  readonly status: 200 | 206 | 304 | 412 | 416;
  readonly headers: Readonly<Record<string, string>>;
  /** Null if no bytes follow. */
  readonly range: ByteRange | null;
}

/**
 * Plans the answer for a file. Pure. Source: RFC 9110, sections 13 and 14.
 * @param file `sha256` is the strong validator; null while it is unknown
 */
export function planFileResponse(
  request: FileRequest,
  { size, sha256 }: { readonly size: number; readonly sha256: Sha256 | null },
): FileResponse {
  return planResponse(request, { size, id: sha256 ?? undefined });
}

/** The same for any content. @param content `id` is its strong validator, without quotes */
export function planResponse(request: FileRequest, { size, id }: { readonly size: number; readonly id: string | undefined }): FileResponse {
  const etag = id === undefined ? undefined : `"${id}"`;
  const common = { 'Accept-Ranges': 'bytes', 'X-Content-Type-Options': 'nosniff', ...(etag !== undefined && { ETag: etag }) };
  if (request.ifMatch !== undefined && !matches(request.ifMatch, etag, 'strong')) return { status: 412, headers: common, range: null };
  if (request.ifNoneMatch !== undefined && matches(request.ifNoneMatch, etag, 'weak')) return { status: 304, headers: common, range: null };
  const headers = { ...common, 'Content-Type': 'application/octet-stream' };
  const hasBody = request.method !== 'HEAD';
  const asked = hasBody && (request.ifRange === undefined || request.ifRange.trim() === etag) ? parseRange(request.range, size) : undefined;
  if (asked === 'unsatisfiable') return { status: 416, headers: { ...common, 'Content-Range': `bytes */${size}` }, range: null };
  const { start, end } = asked ?? { start: 0, end: size };
  return {
    status: asked === undefined ? 200 : 206,
    headers: {
      ...headers,
      'Content-Length': String(end - start),
      ...(asked !== undefined && { 'Content-Range': `bytes ${start}-${end - 1}/${size}` }),
    },
    range: hasBody ? { start, end } : null,
  };
}

/**
 * Parses a single range of bytes and limits its end; undefined if the whole file is the answer: without a range, with several, or with an
 * invalid one.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | undefined {
  const match = /^\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (first === '' && last === '') return undefined;
  if (first === '') {
    const length = Number(last);
    if (length === 0) return 'unsatisfiable';
    return size === 0 ? undefined : { start: Math.max(0, size - length), end: size };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return undefined;
  if (start >= size) return 'unsatisfiable';
  return { start, end: last === '' ? size : Math.min(size, Number(last) + 1) };
}

/** The error for a planned answer that is one; undefined for other answers. @param size of the file, in bytes */
export function refusalOf({ status }: FileResponse, size: number): SkulkError | undefined {
  if (status === 416) return new SkulkError('RANGE_NOT_SATISFIABLE', `the file has ${size} bytes`, { hint: 'ask for a range inside it' });
  if (status !== 412) return undefined;
  return new SkulkError('PRECONDITION_FAILED', 'the file has another ETag than If-Match names, or none yet', {
    hint: 'ask without If-Match, or for the ETag that HEAD returns',
  });
}

/** Whether a list of entity tags, as in If-Match and If-None-Match, contains this one. */
export function matches(list: string, etag: string | undefined, comparison: 'strong' | 'weak'): boolean {
  if (list.trim() === '*') return true;
  if (etag === undefined) return false;
  return list.split(',').some((entry) => (comparison === 'weak' ? entry.trim().replace(/^W\//, '') : entry.trim()) === etag);
}
