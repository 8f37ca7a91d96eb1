import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createStoreLink } from '../../src/core/connect/store-link.ts';
import { openCopyHub } from '../../src/core/operations/nodes/open-copy-hub.ts';
import { createApiApp } from '../../src/core/server/app/api-app.ts';
import { listen } from '../../src/core/server/app/listen.ts';
import { stopApp } from '../../src/core/server/app/stop-app.ts';
import { hubAsker } from '../helpers/hub-answers.ts';
import { noise, sha256 } from '../helpers/model-files.ts';
import { rawServer } from '../helpers/raw-http.ts';
import { few, usualTest } from '../helpers/seeded.ts';
import { serveThroughProxy, stagingNode } from '../helpers/staging-node.ts';
import { within } from '../helpers/waiting.ts';

const weights = noise(300_000, 1);

/** A node with a copy, whose store accepts every connection and never says anything; the node is as impatient as a test. */
async function silentWorld({ wasHeard, answerMs = 200 }: { readonly wasHeard: boolean; readonly answerMs?: number }) {
  const { proxy } = await serveThroughProxy({ 'org/m': { 'config.json': '{"a":1}', 'model.safetensors': weights } });
  const node = await stagingNode(proxy.url);
  await node.stage('org/m');
  const silent = await rawServer(() => undefined);
  const link = createStoreLink(node.deps, { mdns: false });
  const copies = openCopyHub(node.deps, link);
  const identity = { hostname: 'n1', node_id: 'n1', preferred_address: '127.0.0.1', version: '1', role: 'node', can_restart: false };
  const hubPatience = { answerMs, quietMs: 50, longMs: 0, silentMs: 0 };
  const app = await createApiApp({ deps: node.deps, link, copies, identity: () => identity, logLevel: 'silent', hubPatience });
  const { url } = await listen(app, { host: '127.0.0.1', port: 0 });
  onTestFinished(async () => {
    await stopApp(app, { graceMs: 10 });
    // What still waits for an answer ends with it.
    await silent[Symbol.asyncDispose]();
    await copies[Symbol.asyncDispose]();
    await link.close();
  });
  const get = hubAsker(url);
  if (wasHeard) expect((await get('/api/models/org/m')).status).toBe(200);
  proxy.setTarget(silent.url);
  return { get, proxy };
}

test.each(
  few([
    ['that has gone silent', { wasHeard: true }],
    ['that was never heard', { wasHeard: false }],
  ]),
)('a node whose store accepts connections and says nothing, %s, answers from its copies', async (_, when) => {
  const { get } = await silentWorld(when);
  const file = '/org/m/resolve/main/model.safetensors';
  for (const [target, method] of [
    [file, 'HEAD'],
    ['/org/m/resolve/main/config.json', 'HEAD'],
    ['/api/models/org/m', 'GET'],
    ['/api/models/org/m/tree/main?recursive=true', 'GET'],
  ] as const)
    expect([target, (await within(target, get(target, { method }))).status]).toEqual([target, 200]);
  expect((await within(file, get(file))).body.equals(weights)).toBe(true);
  expect((await within('a part', get(file, { headers: { Range: 'bytes=5-9' } }))).body.equals(weights.subarray(5, 10))).toBe(true);
  expect((await within('a blob', get(`/v2/org/m/blobs/sha256:${sha256(weights)}`))).status).toBe(200);
});

usualTest.each([
  ['HEAD', '/org/none/resolve/main/config.json', true],
  ['GET', '/org/none/resolve/main/config.json', true],
  ['GET', '/org/none/resolve/main/config.json', false],
  ['GET', '/api/models/org/none/revision/main', true],
  ['GET', '/api/models/org/none/tree/main?recursive=true', true],
  ['GET', '/org/m/resolve/main/none.json', true],
  ['GET', '/v2/org/none/manifests/latest', true],
])('a node whose store says nothing says so of what it lacks: %s %s, answered before: %s', async (method, target, wasHeard) => {
  const { get } = await silentWorld({ wasHeard });
  const answer = await within('the refusal', get(target, { method }));
  if (target.includes('none.json')) return expect(answer).toMatchObject({ status: 404, headers: { 'x-error-code': 'EntryNotFound' } });
  expect([answer.status, answer.headers['x-error-code']]).toEqual([503, undefined]);
  if (method === 'HEAD') return;
  const { error, errors } = answer.json() as { error?: string; errors?: readonly { message: string }[] };
  expect(error ?? errors?.[0]?.message).toMatch(/the store at \S+ (?:accepts connections, but does not answer|did not answer within)/);
});

usualTest('a store that takes long to answer and says that it is there is waited for', async () => {
  // The store may take as long as this machine needs.
  const { get, proxy } = await silentWorld({ wasHeard: true, answerMs: 600_000 });
  const asked: ServerResponse[] = [];
  let hasLooked = false;
  const slow = createServer((request, response) => {
    if (request.url === '/health') {
      response.end('{}');
      hasLooked = true;
    } else asked.push(response);
    // The node has looked, and Hugging Face has answered. The two requests come on two connections, in any order.
    if (!hasLooked) return;
    for (const answer of asked.splice(0))
      answer
        .writeHead(404, {
          'Content-Type': 'application/json',
          'X-Error-Code': 'RevisionNotFound',
          'Cross-Origin-Resource-Policy': 'same-origin',
          'Content-Length': 0,
        })
        .end();
  });
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void slow.close());
  proxy.setTarget(`http://127.0.0.1:${(slow.address() as AddressInfo).port}`);
  const answer = await within('the answer', get('/org/none/resolve/v2/config.json', { method: 'HEAD' }));
  expect([answer.status, answer.headers['x-error-code']]).toEqual([404, 'RevisionNotFound']);
});
