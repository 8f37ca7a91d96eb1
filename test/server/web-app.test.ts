import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished } from 'vitest';
import { createAccess } from '../../src/core/server/access/access.ts';
import { createApp } from '../../src/core/server/app/create-app.ts';
import { defaultLimits } from '../../src/core/server/app/limits.ts';
import { listen } from '../../src/core/server/app/listen.ts';
import { stopApp } from '../../src/core/server/app/stop-app.ts';
import { addWebApp } from '../../src/core/server/app/web-app.ts';
import { forWholeFile } from '../helpers/at-end.ts';
import { ask } from '../helpers/raw-http.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { startServe } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const built = fileURLToPath(new URL('../../dist/web/', import.meta.url));

const serve = async (env: Record<string, string> = {}) => startServe({ home: await temporaryDirectory(), env });
const shared = forWholeFile(() => serve());

usualTest('the page is served at the API port, with a policy that blocks content from other hosts', async () => {
  const host = shared();
  const document = await readFile(join(built, 'index.html'), 'utf8');
  for (const target of [
    '/',
    '/nodes',
    '/nodes/n1',
    '/activity',
    '/settings',
    '/settings/',
    '/add?q=qwen',
    '/add/org/name',
    '/?model=org%2Fname',
  ]) {
    const answer = await ask(host.apiUrl, target);
    expect([target, answer.status, answer.body.toString()]).toEqual([target, 200, document]);
    expect(answer.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    });
    const again = await ask(host.apiUrl, target, { headers: { 'if-none-match': String(answer.headers.etag) } });
    expect([again.status, again.body.length]).toEqual([304, 0]);
  }
  expect((await ask(host.apiUrl, '/', { method: 'HEAD' })).status).toBe(200);
  expect((await ask(host.apiUrl, '/', { method: 'POST' })).status).toBe(405);
  // The file server has no pages.
  for (const target of ['/', '/settings']) expect((await ask(host.url, target)).status).toBe(404);
});

usualTest('the bundle has hashed names, is cached permanently, has no links to other hosts, and is small', async () => {
  const host = shared();
  const names = await readdir(join(built, 'assets'));
  let gzipped = gzipSync(await readFile(join(built, 'index.html'))).length;
  for (const name of names) {
    expect(name).toMatch(/^\w+-[\w-]{8}\.(js|css|svg)$/);
    const answer = await ask(host.apiUrl, `/assets/${name}`);
    expect(answer).toMatchObject({ status: 200, headers: { 'cache-control': 'public, max-age=31536000, immutable' } });
    expect(answer.headers['content-type']).toMatch(/^(text\/(javascript|css); charset=utf-8|image\/svg\+xml)$/);
    expect(answer.body.equals(await readFile(join(built, 'assets', name)))).toBe(true);
    gzipped += gzipSync(answer.body).length;
  }
  console.log(`the browser view: ${Math.round(gzipped / 1024)} KB gzipped`);
  expect(gzipped).toBeLessThan(250 * 1024);
  const document = await readFile(join(built, 'index.html'), 'utf8');
  expect(document).not.toMatch(/<style|style=|<script(?![^>]* src="\/assets\/)|https?:/);
});

usualTest.each([
  '/assets/',
  '/assets/index.html',
  '/assets/..%2Findex.html',
  '/assets/../index.html',
  '/assets/%2e%2e%2findex.html',
  '/assets/..%5Cindex.html',
  '/assets/%00',
  '/assets/x/y.js',
  '/assets/__proto__',
  '/index.html',
  '/package.json',
  '/../main.js',
  '/main.js',
])('%s is not a file of the build', async (target) => {
  const host = shared();
  const answer = await ask(host.apiUrl, target);
  // A path that leads out of a directory is refused before any file is searched.
  const isOutside = /\.\.|%2e|%5c|%00/i.test(target);
  expect([answer.status, answer.json()]).toEqual(
    isOutside ? [expect.toBeOneOf([400, 404]), expect.anything()] : [404, expect.objectContaining({ code: 'NOT_FOUND' })],
  );
});

usualTest('the page contains no secret and needs no token, but without a token its host name must be known', async () => {
  expect((await ask(shared().apiUrl, '/', { headers: { host: 'evil.example' } })).status).toBe(403);
  const closed = await serve({ SKULK_TOKEN: 'a-good-token' });
  expect((await ask(closed.apiUrl, '/settings')).status).toBe(200);
  const [name = ''] = await readdir(join(built, 'assets'));
  expect((await ask(closed.apiUrl, `/assets/${name}`)).status).toBe(200);
  for (const target of ['/node/identity', '/openapi.json', '/nothing', '/config'])
    expect([target, (await ask(closed.apiUrl, target)).status]).toEqual([target, 401]);
});

usualTest('a server without a built page works, and explains how to build it', async () => {
  const app = await createApp({
    title: 't',
    version: '1',
    access: createAccess({}),
    hostname: 'kite3',
    limits: defaultLimits,
    logLevel: 'silent',
  });
  const directory = join(await temporaryDirectory(), 'web');
  addWebApp(app, { directory });
  const { url } = await listen(app, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => stopApp(app, { graceMs: 100 }));
  expect((await ask(url, '/')).json()).toMatchObject({ code: 'NOT_FOUND', hint: expect.stringContaining('npm run build') });
});

longTest('the files of the page are read only when a browser requests them', async () => {
  const home = await temporaryDirectory();
  const [log, spy] = [join(home, 'read'), join(home, 'spy.cjs')];
  await writeFile(log, '');
  await writeFile(
    spy,
    `const fs = require('node:fs');
     const note = (path) => fs.appendFileSync(${JSON.stringify(log)}, String(path) + '\\n');
     for (const name of ['open', 'readFile', 'readdir', 'stat']) {
       const real = fs.promises[name];
       fs.promises[name] = (path, ...rest) => { note(path); return real(path, ...rest); };
     }
     require('node:module').syncBuiltinESMExports();`,
  );
  const host = await startServe({ home, env: { NODE_OPTIONS: `--require ${spy}` } });
  const read = async (): Promise<readonly string[]> => (await readFile(log, 'utf8')).split('\n').filter((path) => path.includes('/web/'));
  expect(await readFile(log, 'utf8')).not.toBe('');
  expect(await read()).toEqual([]);
  expect((await ask(host.apiUrl, '/')).status).toBe(200);
  expect(await read()).not.toEqual([]);
});
