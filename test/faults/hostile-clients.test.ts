import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished } from 'vitest';
import { writeFiles } from '../helpers/model-files.ts';
import { adminKeyOf } from '../helpers/page-link.ts';
import { ask } from '../helpers/raw-http.ts';
import { runInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { startServe } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { within } from '../helpers/waiting.ts';

const secret = 'nobody outside may read this';

/** A host with one model, and files beside the model that must not change. */
async function host() {
  const home = await temporaryDirectory();
  await writeFiles(join(home, 'm'), { 'config.json': '{"a":1}', 'sub/b.txt': 'bee' });
  const served = await startServe({ home, env: { SKULK_TOKEN: '' } });
  onTestFinished(() => served[Symbol.asyncDispose]());
  expect((await runInProcess(['add', join(home, 'm'), '--as', 'org/m'], { env: { SKULK_HOME: home } })).status).toBe(0);
  await writeFiles(home, {
    'secret.txt': secret,
    'store/secret.txt': secret,
    'store/org--other/secret.txt': secret,
    'store/org--m/.hidden': secret,
  });
  return { home, served, url: new URL(served.url), api: new URL(served.apiUrl) };
}

const open = (url: URL): Socket => connect({ host: url.hostname, port: Number(url.port) }).on('error', () => undefined);

/** Sends raw bytes, and reads until the other end closes, which it must. */
async function say(url: URL, bytes: string | Buffer): Promise<string> {
  const socket = open(url);
  const parts: Buffer[] = [];
  socket.on('data', (part: Buffer) => parts.push(part));
  socket.write(bytes);
  await within('the end of the connection', new Promise((closed) => socket.once('close', closed)));
  socket.destroy();
  return Buffer.concat(parts).toString('latin1');
}

const get = (url: URL, path: string, headers = ''): Promise<string> =>
  say(url, `GET ${path} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: close\r\n${headers}\r\n`);
const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
const memoryOf = async (pid: number): Promise<number> =>
  Number(/VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;

const up = '../'.repeat(8);
/** Paths of a file inside a model, as an attacker would write them. */
const hostilePaths = [
  '../secret.txt',
  '../../secret.txt',
  `${up}etc/passwd`,
  '/etc/passwd',
  '//etc/passwd',
  '///etc/passwd',
  '\\etc\\passwd',
  '..\\secret.txt',
  '..\\..\\secret.txt',
  '%2e%2e/secret.txt',
  '%2e%2e%2fsecret.txt',
  '..%2fsecret.txt',
  '..%2Fsecret.txt',
  '%2E%2E/secret.txt',
  '.%2e/secret.txt',
  '%2e./secret.txt',
  '..%5csecret.txt',
  '..%5Csecret.txt',
  '%252e%252e/secret.txt',
  '%252e%252e%252fsecret.txt',
  '..%252fsecret.txt',
  '%25252e%25252e%25252fsecret.txt',
  '..%c0%afsecret.txt',
  '%c0%ae%c0%ae/secret.txt',
  '..%e0%80%afsecret.txt',
  '..%f0%80%80%afsecret.txt',
  '%uff0e%uff0e/secret.txt',
  '%ef%bc%8e%ef%bc%8e/secret.txt',
  '..%ef%bc%8fsecret.txt',
  '%e2%80%a6/secret.txt',
  '....//secret.txt',
  '..../secret.txt',
  '...//secret.txt',
  '..;/secret.txt',
  '..;a=b/secret.txt',
  '.../secret.txt',
  'sub/../../secret.txt',
  'sub/../../../secret.txt',
  'sub/%2e%2e/%2e%2e/secret.txt',
  'sub//../../secret.txt',
  'sub/./../../secret.txt',
  './../secret.txt',
  './/../secret.txt',
  'config.json/../../secret.txt',
  'config.json/..',
  'config.json/',
  'config.json%00',
  'config.json%00.txt',
  '%00',
  '%00/../secret.txt',
  '..%00/secret.txt',
  'config.json%0a',
  'config.json%0d%0aX-Evil:%201',
  '%0d%0aSet-Cookie:a=b',
  'config.json%20',
  'config.json.',
  'config.json::$DATA',
  'C:/Windows/win.ini',
  'C:%5cWindows%5cwin.ini',
  '%5c%5chost%5cshare',
  '.skulk.json',
  '.skulk/v1/lock',
  '../registry.json',
  '../.skulk/v1/manifests/org--m.json',
  '.hidden',
  '.',
  '..',
  '%2e',
  '%2e%2e',
  '~/secret.txt',
  '$HOME/secret.txt',
  '`id`',
  '$(id)',
  'file:///etc/passwd',
  'http://127.0.0.1/',
  'con',
  'nul',
  'aux.txt',
  '/dev/zero',
  '/proc/self/environ',
  '%',
  '%2',
  '%zz',
  '%80',
  '%ff%fe',
  'sub',
  'sub/',
  '?',
  '#',
  '*',
  '%2a',
  'a'.repeat(300),
  `${'a/'.repeat(500)}b`,
  'a'.repeat(9_000),
  `${up.repeat(100)}etc/passwd`,
];
const hostileIds = [
  '..',
  '%2e%2e',
  '..%2f..',
  'org%2f..',
  '..%2fm',
  'org%2Fm%2F..',
  'org--m',
  'org%2F%2Fm',
  '.skulk',
  '.skulk%2Fv1',
  'registry.json',
  'org%00m',
  'org%2Fm%00',
  '%2Fetc',
  'org%5Cm',
  'incoming',
  'trash',
  'org%252Fm',
  'ORG%2FM%2f',
  '__proto__',
  'constructor',
  'a'.repeat(200),
  'a'.repeat(9_000),
];

describe('a hostile client', () => {
  usualTest('cannot read a byte outside a model with any path or id', async () => {
    expect(hostilePaths.length).toBeGreaterThanOrEqual(60);
    const { served, url, api } = await host();
    const lines = [
      ...hostilePaths.flatMap((path) => [`/models/org%2Fm/${path}`, `/models/org/m/${path}`, `/${path}`]),
      ...hostileIds.flatMap((id) => [
        `/models/${id}/secret.txt`,
        `/models/${id}/config.json`,
        `/models/${id}/files`,
        `/models/${id}/manifest`,
      ]),
    ];
    for (let at = 0; at < lines.length; at += 16) {
      await Promise.all(
        lines.slice(at, at + 16).map(async (line) => {
          const answer = await get(url, line);
          expect([200, 400, 404, 405, 414, 431], `${line.slice(0, 200)}: ${answer.slice(0, 300)}`).toContain(statusOf(answer));
          expect(answer, line.slice(0, 200)).not.toContain(secret);
          expect(answer, line.slice(0, 200)).not.toMatch(/root:x?:0|\r\nX-Evil|\r\nSet-Cookie|for 16-bit app/i);
          // Only what is in the manifest is ever sent.
          if (statusOf(answer) === 200) expect(answer, line.slice(0, 200)).toMatch(/\{"a":1\}|bee|"config\.json"|store_path|openapi|\[/);
        }),
      );
    }
    for (const path of [...hostilePaths, ...hostileIds]) {
      for (const method of ['GET', 'DELETE']) {
        const answer = await say(api, `${method} /store/models/${path} HTTP/1.1\r\nHost: ${api.host}\r\nConnection: close\r\n\r\n`);
        expect([400, 404, 405, 414, 431], `${method} ${path.slice(0, 200)}: ${answer.slice(0, 300)}`).toContain(statusOf(answer));
      }
    }
    expect(statusOf(await get(url, '/models/org%2Fm/config.json'))).toBe(200);
    expect(statusOf(await get(url, '/models/org%2Fm/sub/b.txt'))).toBe(200);
    expect(await readFile(join(served.storePath, 'secret.txt'), 'utf8')).toBe(secret);
  });

  const attacks: readonly (readonly [string, (url: URL) => Promise<string>])[] = [
    ['an id of a megabyte', (url: URL) => get(url, `/models/${'a'.repeat(1_000_000)}/x`)],
    ['a header of a megabyte', (url: URL) => get(url, '/health', `X-Big: ${'a'.repeat(1_000_000)}\r\n`)],
    ['ten thousand headers', (url: URL) => get(url, '/health', Array.from({ length: 10_000 }, (_, n) => `X-${n}: a\r\n`).join(''))],
    [
      'ten thousand ranges',
      (url: URL) =>
        get(url, '/models/org%2Fm/config.json', `Range: bytes=${Array.from({ length: 10_000 }, (_, n) => `${n}-${n}`).join(',')}\r\n`),
    ],
    [
      'a range of huge numbers',
      (url: URL) => get(url, '/models/org%2Fm/config.json', `Range: bytes=${'9'.repeat(400)}-${'9'.repeat(500)}\r\n`),
    ],
    [
      'a body of a megabyte to a small route',
      (url: URL) =>
        say(
          url,
          `POST /models/org%2Fm/adopt HTTP/1.1\r\nHost: ${url.host}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 5000000\r\n\r\n${'{'.repeat(5_000_000)}`,
        ),
    ],
    [
      'JSON that is nested deeply',
      (url: URL) =>
        say(
          url,
          `POST /verify HTTP/1.1\r\nHost: ${url.host}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n${'['.repeat(60_000)}`,
        ),
    ],
    ['garbage instead of HTTP', (url: URL) => say(url, Buffer.alloc(200_000, 0x80))],
    [
      'two lengths',
      (url: URL) =>
        say(url, `POST /verify HTTP/1.1\r\nHost: ${url.host}\r\nContent-Length: 2\r\nContent-Length: 50\r\nConnection: close\r\n\r\n{}`),
    ],
    [
      'a length and chunks',
      (url: URL) =>
        say(
          url,
          `POST /verify HTTP/1.1\r\nHost: ${url.host}\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\nGET /health HTTP/1.1\r\n\r\n`,
        ),
    ],
    ['a method that nobody knows', (url: URL) => say(url, `BREW /health HTTP/1.1\r\nHost: ${url.host}\r\nConnection: close\r\n\r\n`)],
  ];
  usualTest('cannot end the server with a body that is nested deeply, not even as an admin', async () => {
    const { url, api, home } = await host();
    const headers = { authorization: `Bearer ${await adminKeyOf(home)}`, 'content-type': 'application/json' };
    const deep = `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`;
    for (const [base, path] of [
      [url, '/policy'],
      [api, '/policy'],
      [api, '/config'],
      [url, '/tokens'],
    ] as const) {
      const method = path === '/tokens' ? 'POST' : 'PUT';
      const refused = await ask(base.href, path, { method, headers, body: deep });
      expect([refused.status, refused.json()]).toEqual([400, expect.objectContaining({ code: 'BAD_REQUEST' })]);
      expect(statusOf(await get(url, '/health'))).toBe(200);
    }
  });

  longTest('gets a refusal for requests that are too large, too many, too deeply nested, or not HTTP', async () => {
    const { url, served } = await host();
    const before = await memoryOf(served.pid);
    for (const [name, attack] of attacks) {
      const answers = await Promise.all(Array.from({ length: 8 }, () => attack(url)));
      // 0: the connection was closed without an answer; 200: too many ranges are answered with the whole file.
      for (const answer of answers)
        expect([0, 200, 400, 404, 405, 413, 414, 416, 431, 501], `${name}: ${answer.slice(0, 300)}`).toContain(statusOf(answer));
      expect(statusOf(await get(url, '/health')), name).toBe(200);
      expect((await memoryOf(served.pid)) - before, name).toBeLessThan(200e6);
    }
  });

  longTest('cannot block others with 500 connections that send nothing or a byte now and then', async () => {
    const { url, served, home } = await host();
    const before = await memoryOf(served.pid);
    const sockets = Array.from({ length: 500 }, () => open(url));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
    });
    for (const [index, socket] of sockets.entries()) if (index % 2 === 0) socket.write('G');
    for (let second = 0; second < 4; second += 1) {
      for (const [index, socket] of sockets.entries()) if (index % 2 === 0 && !socket.destroyed) socket.write('ET /health'.charAt(second));
      expect(statusOf(await get(url, '/health'))).toBe(200);
      await sleep(200);
    }
    const staged = await runInProcess(['stage', 'org/m'], { env: { SKULK_HOME: join(home, 'node'), SKULK_STORE: served.url } });
    expect(staged.status).toBe(0);
    expect((await memoryOf(served.pid)) - before).toBeLessThan(150e6);
  });

  longTest('that reads a file very slowly does not hold memory or block others', async () => {
    const home = await temporaryDirectory();
    await writeFiles(join(home, 'm'), { big: Buffer.alloc(50e6, 'b'), small: 's' });
    const served = await startServe({ home });
    onTestFinished(() => served[Symbol.asyncDispose]());
    expect((await runInProcess(['add', join(home, 'm'), '--as', 'org/m'], { env: { SKULK_HOME: home } })).status).toBe(0);
    const url = new URL(served.url);
    const before = await memoryOf(served.pid);
    const slow = Array.from({ length: 40 }, () => {
      const socket = open(url);
      socket.write(`GET /models/org%2Fm/big HTTP/1.1\r\nHost: ${url.host}\r\n\r\n`);
      socket.once('data', () => socket.pause());
      return socket;
    });
    onTestFinished(() => {
      for (const socket of slow) socket.destroy();
    });
    await within('the first bytes of everybody', Promise.all(slow.map((socket) => once(socket, 'data'))));
    expect(statusOf(await get(url, '/health'))).toBe(200);
    expect((await memoryOf(served.pid)) - before).toBeLessThan(250e6);
    for (const socket of slow) socket.destroy();
    expect(statusOf(await get(url, '/models/org%2Fm/small'))).toBe(200);
  });
});
