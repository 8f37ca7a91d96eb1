import { readdir } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { digestFiles } from '../../src/core/catalog/manifest.ts';
import { chunkSize } from '../../src/core/kernel/chunk-size.ts';
import { SkulkError } from '../../src/core/kernel/errors.ts';
import { sha256 } from '../helpers/directory-store.ts';
import { isLong } from '../helpers/seeded.ts';
import { stagingNode } from '../helpers/staging-node.ts';

async function hostile(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    return new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A manifest with a correct digest for any files. */
function manifestOf(files: readonly object[], more: object = {}): object {
  let digest = sha256('');
  try {
    digest = digestFiles(files as Parameters<typeof digestFiles>[0]);
  } catch {
    // Its files are not objects.
  }
  return {
    version: 1,
    model_id: 'org/m',
    digest,
    revision: null,
    commit: null,
    source: 'add',
    created_at: '',
    chunk_size: chunkSize,
    files,
    ...more,
  };
}

const file = (path: unknown, size: unknown = 3) => ({ path, size, sha256: sha256('abc') });

const manifests: Record<string, object | string> = {
  'a path that leaves': manifestOf([file('../../escape')]),
  'a path that leaves later': manifestOf([file('a/../../escape')]),
  'an absolute path': manifestOf([file('/tmp/skulk-escape')]),
  'a path with NUL': manifestOf([file('a\0b')]),
  'a path with a backslash': manifestOf([file('..\\escape')]),
  'a drive letter': manifestOf([file('C:/escape')]),
  'an empty path': manifestOf([file('')]),
  'a dot': manifestOf([file('./a')]),
  'a lone surrogate': manifestOf([file('\ud800')]),
  'a path of 5,000 characters': manifestOf([file(`${'a/'.repeat(2500)}b`)]),
  'no path': manifestOf([file(7)]),
  'one path twice': manifestOf([file('a'), file('a')]),
  'a file that is a directory as well': manifestOf([file('a'), file('a/b')]),
  "skulk's own record": manifestOf([file('.skulk.json')]),
  "skulk's own record in capitals": manifestOf([file('.SKULK.json')]),
  "skulk's own directory": manifestOf([file('.skulk/v1/locks/x')]),
  'a negative size': manifestOf([file('a', -1)]),
  'a size of 2^63': manifestOf([file('a', 2 ** 63)]),
  'sizes that add up to too much': manifestOf(Array.from({ length: 100_000 }, (_, index) => file(`f${index}`, 2 ** 24))),
  'half a byte': manifestOf([file('a', 0.5)]),
  'no chunks for a big file': manifestOf([file('a', chunkSize + 1)]),
  'chunks for a small file': manifestOf([{ ...file('a'), chunks: [sha256('abc')] }]),
  'a digest that does not fit': manifestOf([file('a')], { digest: sha256('other') }),
  'a digest that is none': manifestOf([{ ...file('a'), sha256: 'zz' }]),
  'chunks of another size': manifestOf([file('a')], { chunk_size: 1 }),
  'another version': manifestOf([file('a')], { version: 2 }),
  'another model': manifestOf([file('a')], { model_id: 'org/other' }),
  'an id that is none': manifestOf([file('a')], { model_id: '../m' }),
  'too many files': manifestOf(Array.from({ length: 200_001 }, (_, index) => file(`f${index}`))),
  'a list': '[]',
  null: 'null',
};

test('a hostile manifest is refused, and nothing is written', async () => {
  let manifest: object | string = '';
  let others = 0;
  const url = await hostile((request, response) => {
    // A node reports itself; the answer to that is not a manifest either.
    if (!request.url?.endsWith('/manifest') && !request.url?.startsWith('/nodes/')) others += 1;
    response.setHeader('content-type', 'application/json');
    response.end(typeof manifest === 'string' ? manifest : JSON.stringify(manifest));
  });
  // The two with very many files take most of the time.
  for (const [name, content] of Object.entries(manifests).filter(([name]) => isLong || !/^(?:sizes|too many)/.test(name))) {
    manifest = content;
    const node = await stagingNode(url);
    const error = await node.stage('org/m').then(
      () => undefined,
      (failure: unknown) => failure,
    );
    // A large one may be refused because of its size before its content is examined.
    expect(error, name).toMatchObject({
      code: name.startsWith('sizes') ? expect.stringMatching(/INTEGRITY|NO_SPACE/) : 'INTEGRITY',
      hint: expect.any(String),
    });
    expect(await readdir(join(node.home, 'staging')).catch(() => []), name).toEqual(name.startsWith('sizes') ? expect.anything() : []);
  }
  expect(others).toBe(0);
});

test('a manifest with 10 million files and an endless answer are cut off', async () => {
  const one = `${JSON.stringify(file('some/file/of/the/model.safetensors'))},`;
  const block = one.repeat(500);
  let sent = 0;
  const pour: RequestListener = (_, response) => {
    response.write('{"version":1,"model_id":"org/m","files":[');
    const more = (): void => {
      while (!response.destroyed && sent < 10_000_000 * one.length && response.write(block)) sent += block.length;
    };
    response.on('drain', more);
    more();
  };
  const node = await stagingNode(await hostile(pour));
  await expect(node.stage('org/m')).rejects.toMatchObject({ code: expect.stringMatching(/INTEGRITY|STORE_UNREACHABLE/) });
  // 32 MiB are read; the rest is in buffers of the system.
  expect(sent).toBeLessThan(128 * 1024 ** 2);
  expect(await readdir(node.home)).toEqual(['node-id']);
});

test('bytes that differ from the manifest are never published', async () => {
  const content = Buffer.alloc(chunkSize + 10, 1);
  const lies: readonly object[][] = [
    [{ path: 'empty', size: 0, sha256: sha256('not empty') }],
    [{ path: 'a', size: 3, sha256: sha256('xyz') }],
    [{ path: 'big', size: content.length, sha256: sha256(content), chunks: [sha256('one'), sha256('two')] }],
  ];
  for (const files of lies) {
    const url = await hostile((request, response) => {
      if (request.url?.endsWith('/manifest')) return void response.end(JSON.stringify(manifestOf(files)));
      const [, first = '0', last = '0'] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? [];
      const body = content.subarray(Number(first), Number(last) + 1);
      response.writeHead(206, { 'content-range': `bytes ${first}-${last}/${content.length}`, 'content-length': body.length });
      response.end(body);
    });
    const node = await stagingNode(url);
    const error = await node.stage('org/m').then(
      () => undefined,
      (failure: unknown) => failure,
    );
    expect(error).toBeInstanceOf(SkulkError);
    expect(error).toMatchObject({ code: 'INTEGRITY' });
    expect(await readdir(node.root)).toEqual(['.skulk']);
  }
});
