import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { reportRemoval } from '../../src/core/node/catch-up.ts';
import { evictCopy } from '../../src/core/staging/evict-copy.ts';
import { stagingLayout } from '../../src/core/staging/layout.ts';
import { readLeases } from '../../src/core/staging/leases/lease.ts';
import { serveModels, stagingNode } from '../helpers/staging-node.ts';
import { within } from '../helpers/waiting.ts';

type Listener = Parameters<typeof createServer>[1] & {};

async function serveTest(listener: Listener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a forced purge between the end of a stage and its lease with a time leaves no lease without a copy', async () => {
  const { url } = await serveModels({ 'org/m': { a: 'first' }, 'org/n': { b: 'second' } });
  let purge = async (): Promise<void> => {};
  let reported = '';
  const store = await serveTest(async (incoming, answer) => {
    const { method, url: path = '/', headers } = incoming;
    if (method === 'POST' && path.startsWith('/nodes/')) {
      reported = await text(incoming);
      answer.setHeader('Content-Type', 'application/json').end('{"orders":[]}');
      return;
    }
    // While the second model is staged, the first one is complete and not kept yet.
    if (path.includes('org%2Fn')) await purge();
    incoming.pipe(
      request(new URL(path, url), { method, headers }, (response) => {
        answer.writeHead(response.statusCode ?? 500, response.headers);
        response.pipe(answer);
      }),
    );
  });
  const inUse = () => JSON.parse(reported).copies.map((copy: { model_id: string; in_use: boolean }) => [copy.model_id, copy.in_use]);
  const node = await stagingNode(store);
  const layout = stagingLayout(node.root);
  const { storePath } = node.deps.config.settings;
  purge = async () => {
    const { now, signal } = node.world;
    await evictCopy(layout, parseModelId('org/m'), { storePath: storePath.value, now, signal, force: true });
  };
  await expect(node.request(['org/m', 'org/n'], { keepMs: 3600_000 })).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringContaining('removed the copy of org/m'),
  });
  expect((await readLeases(layout)).map(({ model_id, expires_at }) => [model_id, expires_at !== null])).toEqual([['org/n', true]]);
  expect(inUse()).toEqual([['org/n', true]]);
  purge = async () => {};
  await node.request(['org/m'], { keepMs: 3600_000 });
  expect(await readLeases(layout)).toHaveLength(2);
  expect(inUse()).toContainEqual(['org/m', true]);
  // Also for a copy that was here already.
  reported = '{"copies":[]}';
  await node.request(['org/n'], { keepMs: 3600_000 });
  expect(inUse()).toContainEqual(['org/n', true]);
});

test('a store that answers byte by byte does not hold up a report after a removal for ever', async () => {
  const url = await serveTest((_, answer) => {
    answer.writeHead(200, { 'Content-Type': 'application/json' });
    const timer = setInterval(() => answer.write(' '), 10);
    answer.on('close', () => clearInterval(timer));
  });
  const node = await stagingNode(url);
  await within('the end of the report', reportRemoval(node.deps, { limitMs: 200 }));
  expect(node.world.events).toEqual([
    {
      type: 'warning',
      message: expect.stringContaining('did not accept the report within 0.2 s'),
      hint: expect.stringContaining('skulk reconcile'),
    },
  ]);
});
