import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { parseModelRef } from '../../src/core/kernel/model-id.ts';
import { activate } from '../../src/core/operations/stage/leases.ts';
import { serveModels, stagingNode } from '../helpers/staging-node.ts';
import { within } from '../helpers/waiting.ts';

/** A store that takes reports, or says nothing. */
async function serveReports({ isSilent }: { readonly isSilent: boolean }) {
  const reports: { copies: { model_id: string; in_use: boolean }[] }[] = [];
  const server = createServer(async (incoming, answer) => {
    reports.push(JSON.parse((await text(incoming)) || '{}'));
    if (!isSilent) answer.setHeader('Content-Type', 'application/json').end('{"orders":[]}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, reports };
}

/** A node with a copy of `org/m`, whose store is at another URL from now on. */
async function nodeWithCopy(url: string) {
  const node = await stagingNode((await serveModels({ 'org/m': { a: 'content' } })).url);
  await node.stage('org/m');
  return stagingNode(url, { home: node.home });
}

test('activate reports the copy to the store as in use', async () => {
  const { url, reports } = await serveReports({ isSilent: false });
  const node = await nodeWithCopy(url);
  await activate(node.deps, { ref: parseModelRef('org/m'), pid: process.pid });
  expect(reports).toMatchObject([{ copies: [{ model_id: 'org/m', in_use: true }] }]);
});

test('activate ends without an error and with its lease if the store accepts connections and says nothing', async () => {
  const { url, reports } = await serveReports({ isSilent: true });
  const node = await nodeWithCopy(url);
  const began = activate(node.deps, { ref: parseModelRef('org/m'), pid: process.pid });
  expect(await within('the end of activate', began)).toMatchObject({ model_id: 'org/m', lease_id: expect.any(String) });
  expect(reports).toHaveLength(1);
  expect(node.world.warnings()).toEqual([]);
});
