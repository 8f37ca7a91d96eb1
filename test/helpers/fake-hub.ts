import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { atEnd } from './at-end.ts';

/**
 * A file of a repo: its bytes, or a function that makes a part of them. With a digest, the bytes are not read to compute one, because no
 * test fetches them to the end.
 */
export type HubContent =
  | Uint8Array
  | string
  | { readonly size: number; readonly read: (start: number, end: number) => Buffer; readonly sha256?: string };

/** A repo: files by path; files larger than 1 KiB or with the extension .gguf or .safetensors are in LFS. */
export interface FakeRepo {
  readonly files: Readonly<Record<string, HubContent>>;
  readonly gated?: boolean;
  readonly private?: boolean;
}

/** A request for bytes, and the actions of a fault. */
export interface HubRequest {
  readonly host: 'hub' | 'cdn';
  /** Counts from 1, over all requests for bytes of this file. */
  readonly number: number;
  readonly path: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** A strict stand-in for the Hugging Face Hub. */
export interface FakeHub {
  readonly url: string;
  readonly cdnUrl: string;
  /** Puts a repo at a new commit of a branch. @returns the commit */
  push(id: string, repo: FakeRepo, branch?: string): string;
  /** `METHOD host /path` of every request. */
  readonly requests: readonly string[];
  /** Bytes of a file that were sent. */
  sent(path: string): number;
  /** Tokens that are accepted; without one, anybody may read what is not private. */
  readonly tokens: Set<string>;
  /** Answers a request for bytes itself when it returns true. */
  fault: ((asked: HubRequest) => boolean | Promise<boolean>) | undefined;
  /** Answers a request of the API itself when it returns true. */
  apiFault: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  /** Bytes per second of all answers together; 0 means no limit. A change also applies to running transfers. */
  rate: number;
  /** Holds back the last bytes of every file in LFS, so that no download ends before this is false again. */
  holdsEnds: boolean;
  pageSize: number;
  /** Settles when so many bytes of files have been sent. */
  passed(bytes: number): Promise<void>;
}

interface StoredFile {
  readonly size: number;
  readonly read: (start: number, end: number) => Buffer;
  readonly isLfs: boolean;
  readonly sha256: string;
  readonly oid: string;
}

interface Commit {
  readonly sha: string;
  readonly files: ReadonlyMap<string, StoredFile>;
}

const block = 1024 * 1024;

/** Starts one on two free ports of 127.0.0.1; the test fails at its end after an unexpected request. */
export async function fakeHub(): Promise<FakeHub> {
  const repos = new Map<string, { commits: Map<string, Commit>; branches: Map<string, string>; gated: boolean; isPrivate: boolean }>();
  const requests: string[] = [];
  const violations: string[] = [];
  const sent = new Map<string, number>();
  const counts = new Map<string, number>();
  const waiting = new Set<{ bytes: number; done: () => void }>();
  const sockets = new Set<Socket>();
  let [total, pushes, mayGoAt, rate, holdsEnds] = [0, 0, 0, 0, false];
  let pace = new AbortController();
  const changePace = (): void => {
    pace.abort();
    pace = new AbortController();
    mayGoAt = 0;
  };

  const refuse = (response: ServerResponse, status: number, headers: Record<string, string> = {}): void =>
    void response.writeHead(status, { 'Content-Length': '0', ...headers }).end();
  const unexpected = (request: IncomingMessage, response: ServerResponse, why: string): void => {
    violations.push(`${why}: ${request.method} ${request.url}`);
    refuse(response, 400);
  };
  const findCommit = (repo: { commits: Map<string, Commit>; branches: Map<string, string> }, revision: string): Commit | undefined =>
    repo.commits.get(repo.branches.get(revision) ?? revision);

  /** @returns the repo, after a refusal undefined */
  const admit = (id: string, request: IncomingMessage, response: ServerResponse, isContent: boolean) => {
    const authorization = request.headers.authorization;
    const token = authorization?.replace(/^Bearer /, '');
    const isKnown = token !== undefined && hub.tokens.has(token);
    if (authorization !== undefined && !isKnown) {
      refuse(response, 401, { 'X-Error-Message': 'Invalid credentials in Authorization header' });
      return undefined;
    }
    const repo = repos.get(id);
    if (repo === undefined || (repo.isPrivate && !isKnown)) {
      refuse(response, isKnown ? 404 : 401, { 'X-Error-Code': 'RepoNotFound', 'X-Error-Message': 'Repository not found' });
      return undefined;
    }
    if (repo.gated && isContent && !isKnown) {
      refuse(response, 401, { 'X-Error-Code': 'GatedRepo', 'X-Error-Message': 'Access to model is restricted' });
      return undefined;
    }
    return repo;
  };

  const answerSearch = (response: ServerResponse, { searchParams }: URL): void => {
    const words = (searchParams.get('search') ?? '').toLowerCase();
    const found = [...repos].filter(([id, { isPrivate }]) => !isPrivate && id.toLowerCase().includes(words));
    const items = found.slice(0, Number(searchParams.get('limit'))).map(([id, { gated, commits }], index) => {
      const names = [...commits.values()].flatMap(({ files }) => [...files.keys()]);
      const tags = ['license:apache-2.0', ...['gguf', 'safetensors'].filter((kind) => names.some((name) => name.endsWith(`.${kind}`)))];
      const modified = '2026-01-01T00:00:00.000Z';
      return {
        _id: 'x',
        id,
        private: false,
        gated: gated ? 'manual' : false,
        downloads: 1000 - index,
        likes: 0,
        lastModified: modified,
        tags,
      };
    });
    const body = JSON.stringify(items);
    response.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': String(Buffer.byteLength(body)) });
    response.end(body);
  };

  const answerApi = (request: IncomingMessage, response: ServerResponse, url: URL): unknown => {
    if (hub.apiFault?.(request, response) === true) return;
    if (url.pathname === '/api/models') return answerSearch(response, url);
    const info = /^\/api\/models\/((?:[^/]+\/)?[^/]+)\/revision\/([^/]+)$/.exec(url.pathname);
    const tree = /^\/api\/models\/((?:[^/]+\/)?[^/]+)\/tree\/([0-9a-f]{40})$/.exec(url.pathname);
    const [, id = '', revision = ''] = info ?? tree ?? [];
    if (id === '') return unexpected(request, response, 'an API path that nobody needs');
    const repo = admit(id, request, response, tree !== null);
    if (repo === undefined) return;
    const commit = findCommit(repo, decodeURIComponent(revision));
    if (commit === undefined) return refuse(response, 404, { 'X-Error-Code': 'RevisionNotFound', 'X-Error-Message': 'Invalid rev id' });
    const send = (value: unknown, headers: Record<string, string> = {}): void => {
      const body = JSON.stringify(value);
      response.writeHead(200, {
        'Content-Type': 'application/json; charset=utf-8',
        'Content-Length': String(Buffer.byteLength(body)),
        ...headers,
      });
      response.end(body);
    };
    if (info !== null) {
      return send({
        _id: 'x',
        id,
        sha: commit.sha,
        private: repo.isPrivate,
        downloads: 1,
        gated: repo.gated,
        likes: 0,
        lastModified: '2026-01-01T00:00:00.000Z',
      });
    }
    if (url.searchParams.get('recursive') !== 'true' || url.searchParams.get('expand') === 'true')
      return unexpected(request, response, 'a list that is not recursive, or too dear');
    const all = [...commit.files].flatMap(([path, file]) => [
      {
        type: 'file',
        path,
        size: file.size,
        oid: file.isLfs ? createHash('sha1').update(`pointer ${file.sha256}`).digest('hex') : file.oid,
        ...(file.isLfs && { lfs: { oid: file.sha256, size: file.size, pointerSize: 135 }, xetHash: 'f'.repeat(64) }),
      },
    ]);
    const directories = new Set(
      [...commit.files.keys()].filter((path) => path.includes('/')).map((path) => path.slice(0, path.indexOf('/'))),
    );
    const items = [...[...directories].map((path) => ({ type: 'directory', path, size: 0, oid: '0'.repeat(40) })), ...all];
    const from = Number(url.searchParams.get('cursor') ?? 0);
    const next = from + hub.pageSize;
    const link = next < items.length ? { Link: `<${hub.url}${url.pathname}?recursive=true&expand=false&cursor=${next}>; rel="next"` } : {};
    send(items.slice(from, next), link as Record<string, string>);
  };

  const count = (path: string, bytes: number): void => {
    sent.set(path, (sent.get(path) ?? 0) + bytes);
    total += bytes;
    for (const one of waiting) if (total >= one.bytes) one.done();
  };

  /** Accepted tokens; without any, all repos that are not private are readable. */
  const turn = async (response: ServerResponse, length: number, isEnd: boolean): Promise<void> => {
    const gone = new AbortController();
    const go = (): void => gone.abort();
    response.on('close', go);
    const wait = (ms: number): Promise<unknown> =>
      sleep(ms, undefined, { signal: AbortSignal.any([pace.signal, gone.signal]) }).catch(() => undefined);
    // Waits until the rate limit allows some bytes.
    while (isEnd && holdsEnds && !response.destroyed) await wait(2 ** 30);
    while (rate > 0 && !response.destroyed) {
      const { signal } = pace;
      mayGoAt = Math.max(mayGoAt, performance.now()) + (length / rate) * 1000;
      await wait(Math.max(0, mayGoAt - performance.now()));
      if (!signal.aborted) break;
    }
    response.off('close', go);
  };

  const sendFile = async (
    request: IncomingMessage,
    response: ServerResponse,
    file: StoredFile,
    { path, headers }: { path: string; headers: Record<string, string> },
  ): Promise<void> => {
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    if (request.headers.range !== undefined && range === null)
      return unexpected(request, response, 'a range of a kind that was not expected');
    const start = Number(range?.[1] ?? 0);
    const end = Math.min(file.size, range?.[2] ? Number(range[2]) + 1 : file.size);
    if (range !== null && start >= file.size) return refuse(response, 416, { 'Content-Range': `bytes */${file.size}` });
    response.writeHead(range === null ? 200 : 206, {
      ...headers,
      'Accept-Ranges': 'bytes',
      'Content-Type': 'application/octet-stream',
      'Content-Length': String(end - start),
      ...(range !== null && { 'Content-Range': `bytes ${start}-${end - 1}/${file.size}` }),
    });
    for (let at = start; at < end && !response.destroyed; at += block) {
      const part = file.read(at, Math.min(end, at + block));
      for (let offset = 0; offset < part.length && !response.destroyed; offset += 65_536) {
        const bytes = part.subarray(offset, offset + 65_536);
        await turn(response, bytes.length, file.isLfs && at + offset + bytes.length === file.size);
        if (response.destroyed) break;
        count(path, bytes.length);
        if (response.write(bytes)) continue;
        await new Promise<void>((resolve) => {
          const go = (): void => {
            response.off('drain', go).off('close', go);
            resolve();
          };
          response.on('drain', go).on('close', go);
        });
      }
    }
    response.end();
  };

  const ask = async (host: 'hub' | 'cdn', path: string, request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
    const number = (counts.get(path) ?? 0) + 1;
    if (host === 'cdn' || hub.fault !== undefined) counts.set(path, number);
    return (await hub.fault?.({ host, number, path, request, response })) === true;
  };

  const answerResolve = async (request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> => {
    const [, id = '', revision = '', rawPath = ''] = /^\/((?:[^/]+\/)?[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(url.pathname) ?? [];
    if (!/^[0-9a-f]{40}$/.test(revision)) return unexpected(request, response, 'bytes of a branch, which may move');
    const repo = admit(id, request, response, true);
    if (repo === undefined) return;
    const path = decodeURIComponent(rawPath);
    const file = repo.commits.get(revision)?.files.get(path);
    if (file === undefined) return refuse(response, 404, { 'X-Error-Code': 'EntryNotFound', 'X-Repo-Commit': revision });
    if (await ask('hub', path, request, response)) return;
    const etag = file.isLfs ? file.sha256 : file.oid;
    const headers = { 'X-Repo-Commit': revision, ETag: `"${etag}"`, 'X-Linked-Etag': `"${etag}"`, 'X-Linked-Size': String(file.size) };
    if (!file.isLfs) return sendFile(request, response, file, { path, headers });
    const body = 'Found. Redirecting';
    response.writeHead(302, {
      ...headers,
      'X-Xet-Hash': 'f'.repeat(64),
      'Content-Length': String(body.length),
      Location: `${hub.cdnUrl}/lfs/${revision}/${encodeURIComponent(id)}/${encodeURIComponent(path)}?X-Amz-Signature=secret`,
    });
    response.end(body);
  };

  const answerCdn = async (request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> => {
    if (request.headers.authorization !== undefined || request.headers.cookie !== undefined)
      return unexpected(request, response, 'a token at the wrong host');
    const [, revision = '', id = '', path = ''] =
      /^\/lfs\/([0-9a-f]{40})\/([^/]+)\/([^/]+)$/.exec(url.pathname)?.map(decodeURIComponent) ?? [];
    const file = repos.get(id)?.commits.get(revision)?.files.get(path);
    if (file === undefined || url.searchParams.get('X-Amz-Signature') !== 'secret')
      return unexpected(request, response, 'an unsigned request');
    if (await ask('cdn', path, request, response)) return;
    await sendFile(request, response, file, { path, headers: { ETag: '"cdn-own-etag"' } });
  };

  const listen = async (answer: (request: IncomingMessage, response: ServerResponse, url: URL) => unknown): Promise<string> => {
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? '/', 'http://x');
      response.on('error', () => {});
      if (request.method !== 'GET') return unexpected(request, response, 'a method that is not GET');
      void Promise.resolve(answer(request, response, url)).catch(() => request.socket.destroy());
    }).on('connection', (socket) => {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    atEnd(async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  const cdnUrl = await listen((request, response, url) => {
    requests.push(`GET cdn ${decodeURIComponent(url.pathname)}`);
    return answerCdn(request, response, url);
  });
  const url = await listen((request, response, at) => {
    requests.push(`GET hub ${at.pathname}`);
    return at.pathname.startsWith('/api/') ? answerApi(request, response, at) : answerResolve(request, response, at);
  });
  atEnd(() => expect(violations).toEqual([]));

  const hub: FakeHub = {
    url,
    cdnUrl,
    requests,
    tokens: new Set(),
    fault: undefined,
    apiFault: undefined,
    get rate() {
      return rate;
    },
    set rate(next) {
      rate = next;
      changePace();
    },
    get holdsEnds() {
      return holdsEnds;
    },
    set holdsEnds(next) {
      holdsEnds = next;
      changePace();
    },
    pageSize: 50,
    sent: (path) => sent.get(path) ?? 0,
    passed: (bytes) =>
      new Promise((resolve) => {
        if (total >= bytes) return resolve();
        const one = {
          bytes,
          done: () => {
            waiting.delete(one);
            resolve();
          },
        };
        waiting.add(one);
      }),
    push: (id, { files, gated = false, private: isPrivate = false }, branch = 'main') => {
      pushes += 1;
      const sha = createHash('sha1').update(`${id} ${branch} ${pushes}`).digest('hex');
      const repo = repos.get(id) ?? { commits: new Map(), branches: new Map(), gated, isPrivate };
      repo.commits.set(sha, { sha, files: new Map(Object.entries(files).map(([path, content]) => [path, storeFile(path, content)])) });
      repo.branches.set(branch, sha);
      repos.set(id, { ...repo, gated, isPrivate });
      return sha;
    },
  };
  return hub;
}

/** A held file that no client needs any more ends. */
export const bytesOf = (content: string | Uint8Array): Buffer =>
  typeof content === 'string' ? Buffer.from(content) : Buffer.from(content.buffer, content.byteOffset, content.byteLength);

function storeFile(path: string, content: HubContent): StoredFile {
  const bytes = typeof content === 'string' || content instanceof Uint8Array ? bytesOf(content) : undefined;
  const {
    size,
    read,
    sha256: known,
  } = bytes === undefined
    ? (content as Exclude<HubContent, string | Uint8Array>)
    : { size: bytes.length, read: (start: number, end: number) => bytes.subarray(start, end), sha256: undefined };
  if (known !== undefined) return { size, read, isLfs: true, sha256: known, oid: '' };
  const digests = digestsOf.get(content as object) ?? digestsIn(size, read);
  if (typeof content === 'object') digestsOf.set(content, digests);
  return { size, read, isLfs: size > 1024 || /\.(?:gguf|safetensors)$/.test(path), ...digests };
}

/** Tests of a file often publish the same bytes, which are hashed once. */
const digestsOf = new WeakMap<object, Pick<StoredFile, 'sha256' | 'oid'>>();

function digestsIn(size: number, read: StoredFile['read']): Pick<StoredFile, 'sha256' | 'oid'> {
  const sha256 = createHash('sha256');
  const oid = createHash('sha1').update(`blob ${size}\0`);
  for (let at = 0; at < size; at += block) {
    const part = read(at, Math.min(size, at + block));
    sha256.update(part);
    oid.update(part);
  }
  return { sha256: sha256.digest('hex'), oid: oid.digest('hex') };
}
