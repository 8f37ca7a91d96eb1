import { expect } from 'vitest';
import { ask, type RawAnswer } from './raw-http.ts';

/** The format of a Hub client's request. */
export interface HubAsk {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** Sends requests like Hub clients. Each answer is checked for fields that every client needs, and for forbidden ones. */
export function hubAsker(url: string): (target: string, request?: HubAsk) => Promise<RawAnswer> {
  return async (target, request = {}) => {
    const answer = await ask(url, target, request);
    checkHubAnswer({ target, method: request.method ?? 'GET', range: request.headers?.['Range'] ?? request.headers?.['range'] }, answer);
    return answer;
  };
}

const one = (value: string | string[] | undefined): string => [value ?? []].flat().join(', ');

/** Fails the test when an answer lacks required fields, or has fields that lead clients elsewhere. */
export function checkHubAnswer(
  { target, method, range }: { readonly target: string; readonly method: string; readonly range?: string | undefined },
  { status, headers, body }: RawAnswer,
): void {
  const faults: string[] = [];
  const require = (condition: boolean, what: string): void => void (condition || faults.push(what));
  const path = target.replace(/\?.*$/s, '');
  const isBytes = /^\/(?:[^/]+\/)?[^/]+\/(?:resolve|raw)\//.test(path);
  const isHead = method === 'HEAD';
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
  if (status >= 400) {
    const isGit = status === 403 && one(headers['content-type']).startsWith('text/plain');
    require(one(headers['content-type']).startsWith('application/json') || isGit || status === 416 || status === 412, 'a failure is JSON');
    if (!isHead && status !== 416 && status !== 412 && !isGit) {
      const { error, detail } = JSON.parse(body.toString('utf8')) as { error?: unknown; detail?: unknown };
      require(typeof (error ?? detail) === 'string', 'a failure has a text');
      require(error === undefined || one(headers['x-error-message']) !== '', 'a failure has its text in a header');
    }
    const code = one(headers['x-error-code']);
    require(status !== 404 ||
      code !== 'EntryNotFound' ||
      /^[0-9a-f]{40}$/.test(one(headers['x-repo-commit'])), 'the commit of a missing file');
    require(code === 'EntryNotFound' ||
      headers['x-repo-commit'] === undefined ||
      status === 416 ||
      status === 412, 'no commit in another failure');
  } else if (isBytes && [200, 206].includes(status)) {
    require(/^[0-9a-f]{40}$/.test(one(headers['x-repo-commit'])), 'X-Repo-Commit');
    require(/^"(?:[0-9a-f]{40}|[0-9a-f]{64})"$/.test(one(headers.etag)), 'a strong ETag');
    require(/^\d+$/.test(one(headers['content-length'])), 'Content-Length');
    require(isHead || body.length === Number(one(headers['content-length'])), 'as many bytes as it says');
    require(one(headers['accept-ranges']) === 'bytes', 'Accept-Ranges');
    require(one(headers['content-type']) === 'application/octet-stream', 'the type of bytes');
    require(/^inline; filename\*=UTF-8''[^;]+; filename="[^"]*"$/.test(one(headers['content-disposition'])), 'Content-Disposition');
    require(/^(?:no-cache|(?:public|private), max-age=31536000, immutable)$/.test(one(headers['cache-control'])), 'Cache-Control');
    const linked = one(headers['x-linked-etag']);
    require(linked === '' || (linked === one(headers.etag) && /^"[0-9a-f]{64}"$/.test(linked)), 'X-Linked-Etag is the ETag');
    require((linked === '') === (headers['x-linked-size'] === undefined), 'X-Linked-Size beside X-Linked-Etag');
    require(/\/raw\//.test(path) || (linked !== '') === (one(headers.etag).length === 66), 'links for LFS files, and for nothing else');
    if (status === 206) require(/^bytes \d+-\d+\/\d+$/.test(one(headers['content-range'])), 'Content-Range');
    if (status === 206) require(range !== undefined, 'a part for who asks for one');
  } else if (status === 200) {
    require(/^application\/(?:json|vnd\.)/.test(one(headers['content-type'])), 'JSON');
    require(isHead || /^[[{]\S/.test(body.toString('utf8').slice(0, 2)) || body.length <= 2, 'compact JSON');
  }
  expect({ asked: `${method} ${target}`, status, faults, headers }).toEqual({ asked: `${method} ${target}`, status, faults: [], headers });
}
