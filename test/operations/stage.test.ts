import { access, appendFile, link, mkdir, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { chunkSize } from '../../src/core/kernel/chunk-size.ts';
import { tryLock } from '../../src/core/kernel/process/lock.ts';
import type { StagePlanReport } from '../../src/core/operations/stage/stage-report.ts';
import { sha256 } from '../helpers/directory-store.ts';
import { digestsBelow, noise } from '../helpers/model-files.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { copyOf, serveModels, serveThroughProxy, stagingNode } from '../helpers/staging-node.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

const small = { 'config.json': '{}', 'sub/deep/a #%+ü.txt': 'text', empty: '', 'model.bin': noise(300_000) };
const bytesOf = (files: Record<string, string | Uint8Array>) =>
  Object.values(files).reduce((sum, content) => sum + Buffer.byteLength(content), 0);
const digestsOf = (files: Record<string, string | Uint8Array>) =>
  Object.fromEntries(Object.entries(files).map(([path, content]) => [path, sha256(content)]));
const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

describe('the first stage of a model', () => {
  usualTest('gives verified bytes with a record, and leaves nothing else', async () => {
    const { proxy, store } = await serveThroughProxy({ 'org/m': small });
    const node = await stagingNode(proxy.url);
    const staged = await node.stage('org/m');
    expect(staged).toMatchObject({
      path: copyOf(node, 'org/m'),
      source: 'store',
      files: 4,
      bytes_total: bytesOf(small),
      bytes_transferred: bytesOf(small),
      bytes_reused: 0,
    });
    expect(staged.digest).toBe(store.manifests.get('org/m')?.digest);
    expect(await digestsBelow(staged.path)).toEqual(digestsOf(small));
    expect(JSON.parse(await readFile(join(staged.path, '.skulk.json'), 'utf8')).digest).toBe(staged.digest);
    expect(await exists(join(staged.path, '.last_used'))).toBe(true);
    expect(await readdir(join(node.root, '.skulk/v1/incoming'))).toEqual([]);
    expect(proxy.bytes()).toBe(bytesOf(small));
    expect(node.world.events.filter((event) => event.type === 'progress').at(-1)).toMatchObject({
      bytesDone: bytesOf(small),
      bytesTotal: bytesOf(small),
    });
  });

  usualTest('accepts a file with any valid name', async () => {
    const files = {
      __proto__x: 'a',
      'a\nb': 'nl',
      '🦑': 'emoji',
      '-rf': 'dash',
      'trailing.': 'dot',
      files: 'f',
      manifest: 'm',
      'download/status': 's',
    };
    Object.defineProperty(files, '__proto__', { value: 'proto', enumerable: true });
    const { url } = await serveModels({ 'org/m': files });
    const node = await stagingNode(url);
    const { path } = await node.stage('org/m');
    expect(await readFile(join(path, '__proto__'), 'utf8')).toBe('proto');
    expect(await readdir(path)).toEqual(expect.arrayContaining(['a\nb', '🦑', '-rf', 'trailing.', 'files', 'manifest', 'download']));
    expect((await node.stage('org/m')).source).toBe('cache');
  });

  usualTest('exits with 3 if the store does not have the model or the revision, and with 4 without a store', async () => {
    const { url } = await serveModels({ 'org/m': small });
    const node = await stagingNode(url);
    await expect(node.stage('org/other')).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    await expect(node.stage('org/m@v2')).rejects.toMatchObject({ code: 'REVISION_NOT_FOUND' });
    await node.stage('org/m');
    await expect(node.stage('org/m@v2')).rejects.toMatchObject({ code: 'REVISION_NOT_FOUND' });
    await expect(node.stage('org/m@v2', { offline: true })).rejects.toMatchObject({ code: 'REVISION_NOT_FOUND' });
    expect(await readdir(node.root)).toEqual(expect.arrayContaining(['org--m']));
    expect(await exists(copyOf(node, 'org/other'))).toBe(false);
  });

  usualTest('is only described by --dry-run', async () => {
    const { proxy } = await serveThroughProxy({ 'org/m': small });
    const node = await stagingNode(proxy.url);
    const { planned } = (await node.request(['org/m'], { dryRun: true })) as StagePlanReport;
    expect(planned).toMatchObject([{ source: 'store', bytes_to_transfer: bytesOf(small), bytes_to_reuse: 0 }]);
    expect(await readdir(node.home)).toEqual([]);
    expect(proxy.bytes()).toBe(0);
  });

  usualTest('gives several copies in the requested order', async () => {
    const { url } = await serveModels({ 'org/a': { x: '1' }, 'org/b': { x: '2' } });
    const node = await stagingNode(url);
    const report = await node.request(['org/b', 'org/a', 'org/b']);
    expect('staged' in report && report.staged.map(({ model_id, source }) => [model_id, source])).toEqual([
      ['org/b', 'store'],
      ['org/a', 'store'],
      ['org/b', 'cache'],
    ]);
  });

  longTest('is not faster than --limit-rate', async () => {
    const { url } = await serveModels({ 'org/m': { a: noise(400_000), b: noise(400_000, 2) } });
    const node = await stagingNode(url);
    const began = performance.now();
    await node.stage('org/m', { limitRate: 1_000_000 });
    expect(performance.now() - began).toBeGreaterThan(690);
  });
});

describe('a stage of an existing copy', () => {
  usualTest('sends no byte, and makes one request to the store', async () => {
    const { proxy } = await serveThroughProxy({ 'org/m': small });
    const node = await stagingNode(proxy.url);
    await node.stage('org/m');
    const [before, asked] = [proxy.bytes(), proxy.requests.length];
    await utimes(join(copyOf(node, 'org/m'), '.last_used'), 1, 1);
    expect(await node.stage('org/m')).toMatchObject({ source: 'cache', bytes_transferred: 0, bytes_reused: bytesOf(small) });
    expect(proxy.bytes()).toBe(before);
    expect(proxy.requests.slice(asked)).toEqual(['GET /models/org%2Fm/manifest']);
    expect((await stat(join(copyOf(node, 'org/m'), '.last_used'))).mtimeMs).toBeGreaterThan(1e12);
  });

  usualTest('succeeds with a warning when the store cannot be reached, and without a connection when offline', async () => {
    const { proxy } = await serveThroughProxy({ 'org/m': small });
    const node = await stagingNode(proxy.url);
    await expect(node.stage('org/m', { offline: true })).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    expect((await node.stage('org/m')).checked).toBe(true);
    expect(await node.stage('org/m')).toMatchObject({ source: 'cache', checked: true });
    const connections = proxy.connections();
    expect(await node.stage('org/m', { offline: true })).toMatchObject({ source: 'cache', checked: false });
    expect(proxy.connections()).toBe(connections);
    expect(node.world.warnings()).toEqual([]);
    await proxy.stop();
    expect(await node.stage('org/m')).toMatchObject({ source: 'cache', path: copyOf(node, 'org/m'), checked: false });
    expect(node.world.warnings()).toEqual([expect.stringContaining('org/m')]);
  });

  usualTest('is not called checked while the store is still hashing the model', async () => {
    const { url, store } = await serveModels({ 'org/m': small });
    const node = await stagingNode(url);
    await node.stage('org/m');
    Object.assign(store, { manifest: async () => ({ state: 'hashing', retryAfterMs: 1000 }) });
    expect(await node.stage('org/m')).toMatchObject({ source: 'cache', checked: false });
  });

  usualTest('copies again with --force, and does not return a copy of a model that the store has deleted', async () => {
    const { proxy, replace } = await serveThroughProxy({ 'org/m': small });
    const node = await stagingNode(proxy.url);
    await node.stage('org/m');
    expect(await node.stage('org/m', { force: true })).toMatchObject({ source: 'store', bytes_transferred: bytesOf(small) });
    expect(await digestsBelow(copyOf(node, 'org/m'))).toEqual(digestsOf(small));
    await replace({ 'org/other': small });
    await expect(node.stage('org/m')).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
  });
});

describe('a stage of an outdated or damaged copy', () => {
  const big = noise(chunkSize * 2 + 1000, 7);
  const changedBig = Buffer.from(big);
  changedBig[chunkSize + 5] = (changedBig[chunkSize + 5] ?? 0) ^ 1;

  usualTest('sends the changed files, and of a large file only the changed chunks', async () => {
    const { proxy, replace } = await serveThroughProxy({ 'org/m': { 'big.bin': big, same: noise(5000), old: 'goes' } });
    const node = await stagingNode(proxy.url);
    await node.stage('org/m');
    const before = proxy.bytes();
    const files = { 'big.bin': changedBig, moved: noise(5000), new: 'comes' };
    await replace({ 'org/m': files });
    const plan = ((await node.request(['org/m'], { dryRun: true })) as StagePlanReport).planned[0];
    expect(plan?.bytes_to_transfer).toBe(chunkSize + 5);
    const staged = await node.stage('org/m');
    expect(staged.bytes_transferred).toBe(chunkSize + 5);
    expect(proxy.bytes() - before).toBe(chunkSize + 5);
    expect(await digestsBelow(staged.path)).toEqual(digestsOf(files));
    expect(await readdir(join(node.root, '.skulk/v1/trash'))).toEqual([]);
  });

  usualTest('repairs a damaged, removed or cut file, and does not send a file that only has another date', async () => {
    const { proxy } = await serveThroughProxy({ 'org/m': { 'big.bin': big, a: 'aaaa', b: 'bbbb', c: 'cccc', d: 'dddd' } });
    const node = await stagingNode(proxy.url);
    const { path } = await node.stage('org/m');
    const before = proxy.bytes();
    await writeFile(join(path, 'big.bin'), changedBig);
    await writeFile(join(path, 'a'), 'AAAA');
    await rm(join(path, 'b'));
    await writeFile(join(path, 'c'), 'cc');
    await utimes(join(path, 'd'), 5, 5);
    await expect(node.stage('org/m', { offline: true })).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    await node.stage('org/m');
    expect(proxy.bytes() - before).toBe(chunkSize + 12);
    expect(await digestsBelow(path)).toEqual(digestsOf({ 'big.bin': big, a: 'aaaa', b: 'bbbb', c: 'cccc', d: 'dddd' }));
    expect((await node.stage('org/m')).source).toBe('cache');
  });

  usualTest('gives the newer version when the model changes during the transfer', async () => {
    const { proxy, replace } = await serveThroughProxy({ 'org/m': { a: noise(3000), b: noise(3000, 2) } });
    const node = await stagingNode(proxy.url);
    const next = { a: noise(3000), b: noise(3000, 3) };
    proxy.setFault(({ number, pass }) => (number === 2 ? replace({ 'org/m': next }).then(pass) : undefined));
    const { path } = await node.stage('org/m', { connections: 1 });
    expect(await digestsBelow(path)).toEqual(digestsOf(next));
  });
});

describe('the remains of an earlier stage', () => {
  longTest('count only where their content is right', async () => {
    const big = noise(chunkSize * 3, 9);
    const { proxy, store } = await serveThroughProxy({ 'org/m': { 'big.bin': big, small: 'right' } });
    const node = await stagingNode(proxy.url);
    const incoming = join(node.root, '.skulk/v1/incoming/org--m');
    const [file] = store.manifests.get('org/m')?.files ?? [];
    // The journal names every chunk; the second one is garbage on the disk. The small file is too long, which needs no byte to repair.
    const bad = Buffer.from(big);
    bad.fill(7, chunkSize, chunkSize + 100);
    await mkdir(join(incoming, 'files', 'former'), { recursive: true });
    await writeFile(join(incoming, 'names.json'), '["big.bin", "small", "former/x"]');
    await writeFile(join(incoming, 'files', 'big.bin'), bad);
    await writeFile(join(incoming, 'files', 'small'), 'right and more');
    await writeFile(join(incoming, 'files', 'former', 'x'), 'x');
    await appendFile(
      join(incoming, 'journal'),
      (file?.chunks ?? []).map((chunk, index) => `${JSON.stringify(['big.bin', index * chunkSize, chunk])}\n`).join(''),
    );
    await appendFile(join(incoming, 'journal'), `${JSON.stringify(['small', 0, sha256('right')])}\ngarbage\u0000\u{fffd}`);
    const { path } = await node.stage('org/m');
    expect(proxy.bytes()).toBe(chunkSize);
    expect((await readdir(path)).toSorted()).toEqual(['.last_used', '.skulk.json', 'big.bin', 'small']);
    expect(await digestsBelow(path)).toEqual(digestsOf({ 'big.bin': big, small: 'right' }));
  });

  usualTest('are never written into the existing copy, even if both share a file', async () => {
    const big = noise(chunkSize + 1000, 12);
    const { proxy, replace, store } = await serveThroughProxy({ 'org/m': { 'big.bin': big, b: 'one' } });
    const node = await stagingNode(proxy.url);
    const { path } = await node.stage('org/m');
    // A killed stage of a second version linked the big file; the third version shares its first chunk only, and its other bytes arrive
    // wrong.
    const incoming = join(node.root, '.skulk/v1/incoming/org--m');
    await mkdir(join(incoming, 'files'), { recursive: true });
    await writeFile(join(incoming, 'names.json'), '["big.bin"]');
    await link(join(path, 'big.bin'), join(incoming, 'files', 'big.bin'));
    const chunk = store.manifests.get('org/m')?.files.find((file) => file.path === 'big.bin')?.chunks?.[0];
    await writeFile(join(incoming, 'journal'), `${JSON.stringify(['big.bin', 0, chunk])}\n`);
    await replace({ 'org/m': { 'big.bin': Buffer.concat([big.subarray(0, chunkSize), noise(1000, 13)]), b: 'three' } });
    proxy.setFault(async ({ fetch, answer }) => {
      const { status, headers, body } = await fetch();
      await answer(status, headers, Buffer.alloc(body.length));
    });
    await expect(node.stage('org/m')).rejects.toMatchObject({ code: 'INTEGRITY' });
    expect(await digestsBelow(path)).toEqual(digestsOf({ 'big.bin': big, b: 'one' }));
  });

  usualTest('without files for the journal, or with a full trash, cause no error', async () => {
    const big = noise(chunkSize + 1, 11);
    const { proxy, replace, store } = await serveThroughProxy({ 'org/m': { 'big.bin': big } });
    const node = await stagingNode(proxy.url);
    await node.stage('org/m');
    const incoming = join(node.root, '.skulk/v1/incoming/org--m');
    const chunks = store.manifests.get('org/m')?.files[0]?.chunks ?? [];
    await mkdir(incoming, { recursive: true });
    await writeFile(
      join(incoming, 'journal'),
      chunks.map((chunk, index) => `${JSON.stringify(['big.bin', index * chunkSize, chunk])}\n`).join(''),
    );
    await mkdir(join(node.root, '.skulk/v1/trash/org--m.123456'), { recursive: true });
    const before = proxy.bytes();
    const changed = Buffer.from(big);
    changed[chunkSize] = (changed[chunkSize] ?? 0) ^ 1;
    await replace({ 'org/m': { 'big.bin': changed } });
    await node.stage('org/m');
    expect(proxy.bytes() - before).toBe(1);
    expect(await readdir(join(node.root, '.skulk/v1/trash'))).toEqual([]);
  });
});

describe('the staging directory', () => {
  usualTest('is refused with a clear message when it is a file or a broken link', async () => {
    const { url } = await serveModels({ 'org/m': small });
    for (const make of [(path: string) => writeFile(path, 'x'), (path: string) => symlink('/nowhere/at/all', path)]) {
      const home = await temporaryDirectory();
      await make(join(home, 'cache'));
      const node = await stagingNode(url, { home, content: { model_store: { staging: { node_cache_path: join(home, 'cache') } } } });
      await expect(node.stage('org/m')).rejects.toMatchObject({ code: expect.stringMatching(/CONFIG|BAD_PATH/) });
    }
  });

  usualTest('is never used when it is a store, of this machine or of another one', async () => {
    const { url } = await serveModels({ 'org/m': small });
    for (const inside of ['', 'staging']) {
      const home = await temporaryDirectory();
      const store = join(home, 'models');
      await mkdir(join(store, 'org--m'), { recursive: true });
      await writeFile(join(store, 'org--m', 'canonical'), 'precious');
      await writeFile(join(store, 'registry.json'), '{}');
      const node = await stagingNode(url, {
        home,
        content: { model_store: { store_path: store, staging: { node_cache_path: join(store, inside) } } },
      });
      await expect(node.stage('org/m')).rejects.toMatchObject({ code: 'CONFIG' });
      expect(await readFile(join(store, 'org--m', 'canonical'), 'utf8')).toBe('precious');
    }
  });

  usualTest('is refused with the setting to change when staging is disabled', async () => {
    const { url } = await serveModels({ 'org/m': small });
    const node = await stagingNode(url, { content: { model_store: { staging: { enabled: false } } } });
    await expect(node.stage('org/m')).rejects.toMatchObject({ code: 'CONFIG', hint: expect.stringContaining('true') });
  });
});

usualTest('a stage that waits for another stage of the same model can be interrupted', async () => {
  const { url } = await serveModels({ 'org/m': small });
  const stop = new AbortController();
  const node = await stagingNode(url, { signal: stop.signal });
  const held = await tryLock(join(node.root, '.skulk/v1/locks/org--m'), 'a test');
  if (!('release' in held)) throw new Error('locked');
  const emit = node.world.events.push.bind(node.world.events);
  node.world.events.push = (...events) => {
    if (events.some(({ type }) => type === 'waiting')) stop.abort(new Error('interrupted'));
    return emit(...events);
  };
  await expect(node.stage('org/m')).rejects.toThrow('interrupted');
  await held.release();
});

usualTest('a stage succeeds even if the model is replaced and restored meanwhile', async () => {
  const { proxy } = await serveThroughProxy({ 'org/m': { a: 'first', b: 'b' } });
  const node = await stagingNode(proxy.url);
  let asked = 0;
  proxy.setFault((exchange) => {
    if (!exchange.request.url?.endsWith('/a')) return undefined;
    asked += 1;
    if (asked > 1) return undefined;
    return exchange.fetch().then(({ status, headers, body }) => exchange.answer(status, { ...headers, etag: `"${'0'.repeat(64)}"` }, body));
  });
  expect(await digestsBelow((await node.stage('org/m')).path)).toEqual(digestsOf({ a: 'first', b: 'b' }));
  expect(asked).toBe(2);
});
