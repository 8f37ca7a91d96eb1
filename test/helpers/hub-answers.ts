import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { ask, type RawAnswer } from './raw-http.ts';

/** The format of a Hub client's request. */
export interface HubAsk {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Sends requests like Hub clients. Each answer is checked for fields that every client needs, and for forbidden ones. */
export function hubAsker(url: string): (target: string, request?: HubAsk) => Promise<RawAnswer> {
  return async (target, request = {}) => {
    const answer = await ask(url, target, { ...request, headers: { ...request.headers } });
    checkHubAnswer({ target, method: request.method ?? 'GET', range: request.headers?.['Range'] ?? request.headers?.['range'] }, answer);
    return answer;
  };
}

/** A request, as far as it decides what must be answered. */
export interface CheckedAsk {
  readonly target: string;
  readonly method: string;
  readonly range?: string | undefined;
  /** The client has left before the body was there. */
  readonly isLeft?: boolean;
}

type Answer = Pick<RawAnswer, 'status' | 'headers' | 'body'>;
type Require = (condition: boolean, what: string) => void;

const one = (value: string | string[] | undefined): string => [value ?? []].flat().join(', ');

/** Fails the test when an answer lacks required fields, or has fields that lead clients elsewhere. */
export function checkHubAnswer(asked: CheckedAsk, answer: Answer): void {
  const { target, method } = asked;
  const { status, headers } = answer;
  const faults: string[] = [];
  const require: Require = (condition, what) => void (condition || faults.push(what));
  const path = target.replace(/\?.*$/s, '');
  const isBytes = /^\/(?:[^/]+\/)?[^/]+\/(?:resolve|raw)\//.test(path);
  checkCommon(require, answer, isBytes || /\/blobs\//.test(path));
  if (/^\/v2\//.test(path)) checkRegistry(require, { ...asked, path }, answer);
  else if (status >= 400) checkFailure(require, asked, answer);
  else if (isBytes && [200, 206].includes(status)) checkBytes(require, { ...asked, path }, answer);
  else if (status === 200) {
    require(/^application\/(?:json|vnd\.)/.test(one(headers['content-type'])), 'JSON');
    require(method === 'HEAD' || /^[[{]\S/.test(answer.body.toString('utf8').slice(0, 2)) || answer.body.length <= 2, 'compact JSON');
  }
  expect({ asked: `${method} ${target}`, status, faults, headers }).toEqual({ asked: `${method} ${target}`, status, faults: [], headers });
}

function checkCommon(require: Require, { status, headers, body }: Answer, isBytes: boolean): void {
  const all = Object.entries(headers).map(([name, value]) => `${name}: ${one(value)}`);
  const text = body.length < 1_000_000 ? body.toString('latin1') : '';
  require(!all.some((line) => /xet/i.test(line)) && !(/xet/i.test(text) && !isBytes), 'no word of Xet');
  for (const name of ['link', 'content-encoding', 'transfer-encoding', 'set-cookie', 'retry-after']) {
    // Every answer of the API has a known length.
    require(headers[name] === undefined, `no ${name}`);
  }
  require(status < 300 || status >= 400 || status === 304 || (status === 302 && one(headers['content-type']) === ''), 'no redirect');
  require(one(headers['cross-origin-resource-policy']) === 'same-origin', 'not to be embedded elsewhere');
  for (const [name, value] of Object.entries(headers)) require(/^[\x20-\x7e]*$/.test(one(value)), `plain ASCII in ${name}`);
}

function checkFailure(require: Require, { method }: CheckedAsk, { status, headers, body }: Answer): void {
  const isHead = method === 'HEAD';
  const isGit = status === 403 && one(headers['content-type']).startsWith('text/plain');
  require(one(headers['content-type']).startsWith('application/json') || isGit || status === 416 || status === 412, 'a failure is JSON');
  if (!isHead && status !== 416 && status !== 412 && !isGit) {
    const { error, detail } = JSON.parse(body.toString('utf8')) as { error?: unknown; detail?: unknown };
    require(typeof (error ?? detail) === 'string', 'a failure has a text');
    require(error === undefined || one(headers['x-error-message']) !== '', 'a failure has its text in a header');
  }
  if (isGit) require(isHead || /^[^\n]+\n$/.test(body.toString('utf8')), 'one line for git');
  if (status === 416) require(/^bytes \*\/\d+$/.test(one(headers['content-range'])), 'the size of what has no such range');
  const code = one(headers['x-error-code']);
  require(status !== 404 ||
    code !== 'EntryNotFound' ||
    /^[0-9a-f]{40}$/.test(one(headers['x-repo-commit'])), 'the commit of a missing file');
  require(code === 'EntryNotFound' ||
    headers['x-repo-commit'] === undefined ||
    status === 416 ||
    status === 412, 'no commit in another failure');
}

function checkBytes(require: Require, asked: CheckedAsk & { readonly path: string }, answer: Answer): void {
  const { headers } = answer;
  require(/^[0-9a-f]{40}$/.test(one(headers['x-repo-commit'])), 'X-Repo-Commit');
  require(/^"(?:[0-9a-f]{40}|[0-9a-f]{64})"$/.test(one(headers.etag)), 'a strong ETag');
  require(/^inline; filename\*=UTF-8''[^;]+; filename="[^"]*"$/.test(one(headers['content-disposition'])), 'Content-Disposition');
  const linked = one(headers['x-linked-etag']);
  require(linked === '' || (linked === one(headers.etag) && /^"[0-9a-f]{64}"$/.test(linked)), 'X-Linked-Etag is the ETag');
  require((linked === '') === (headers['x-linked-size'] === undefined), 'X-Linked-Size beside X-Linked-Etag');
  require(/\/raw\//.test(asked.path) || (linked !== '') === (one(headers.etag).length === 66), 'links for LFS files, and for nothing else');
  checkPart(require, asked, answer);
}

/** What the bytes of a file and of a blob have in common. */
function checkPart(require: Require, { method, range, isLeft = false }: CheckedAsk, { status, headers, body }: Answer): void {
  const length = one(headers['content-length']);
  require(/^\d+$/.test(length), 'Content-Length');
  require(method === 'HEAD' || isLeft || body.length === Number(length), 'as many bytes as it says');
  require(one(headers['accept-ranges']) === 'bytes', 'Accept-Ranges');
  require(one(headers['content-type']) === 'application/octet-stream', 'the type of bytes');
  require(/^(?:no-cache|(?:public|private), max-age=31536000, immutable)$/.test(one(headers['cache-control'])), 'Cache-Control');
  if (status !== 206) return;
  require(range !== undefined, 'a part for who asks for one');
  const [, start = '', end = '', size = ''] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(one(headers['content-range'])) ?? [];
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
  require(Number(end) - Number(start) + 1 === Number(length), 'a Content-Range as long as the body');
  require(first === undefined || first === start, 'the part that begins where it was asked for');
  require(first === undefined ||
    Number(end) ===
      Math.min(Number(size) - 1, last === '' ? Number.POSITIVE_INFINITY : Number(last)), 'the part that ends where it was asked for');
}

function checkRegistry(require: Require, asked: CheckedAsk & { readonly path: string }, answer: Answer): void {
  const { status, headers, body } = answer;
  const { path, method } = asked;
  require(one(headers['docker-distribution-api-version']) === 'registry/2.0', 'the version of the registry');
  require(headers['www-authenticate'] === undefined || status === 401, 'no exchange of keys');
  if (status >= 400) {
    require(one(headers['content-type']).startsWith('application/json'), 'a failure is JSON');
    if (method === 'HEAD') return;
    const { errors } = JSON.parse(body.toString('utf8')) as { errors?: { code?: unknown; message?: unknown }[] };
    require(typeof errors?.[0]?.code === 'string' && typeof errors[0].message === 'string', 'a failure of a registry');
  } else if (/\/manifests\//.test(path)) {
    require(one(headers['content-type']) === 'application/vnd.docker.distribution.manifest.v2+json', 'the type of a manifest');
    const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`;
    require(method === 'HEAD' || one(headers['docker-content-digest']) === digest, 'the digest of the manifest');
  } else if (/\/blobs\//.test(path)) {
    const digest = path.slice(path.lastIndexOf('/') + 1);
    require(one(headers['docker-content-digest']) === digest, 'the digest of the blob');
    require(one(headers.etag) === `"${digest.replace('sha256:', '')}"`, 'the digest as the ETag');
    if (status === 304) return;
    checkPart(require, asked, answer);
    const location = one(headers.location);
    const isWhole = status === 200 && method === 'GET';
    require(isWhole ? location.startsWith('http://') && location.endsWith(path) : location === '', 'Location where Ollama needs it alone');
  }
}
