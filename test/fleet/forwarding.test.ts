import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { ask, rawServer } from '../helpers/raw-http.ts';
import { serveInProcess } from '../helpers/run-in-process.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that answers like a store unless the test sets another answer. */
async function standIn(handlers: Readonly<Record<string, Handler>>, { version = '9.9.9' }: { version?: string } = {}) {
  const seen: { method: string; url: string; headers: IncomingMessage['headers'] }[] = [];
  const server = createServer((incoming, answer) => {
    const { method = '', url = '', headers } = incoming;
    seen.push({ method, url, headers });
    const handler = handlers[`${method} ${url.split('?')[0]}`];
    if (handler !== undefined) return handler(incoming, answer);
    const health = { store_path: '/x', free_bytes: 1, total_bytes: 2, used_bytes: 1, ...(version !== '' && { version }) };
    if (url === '/health') return void answer.setHeader('Content-Type', 'application/json').end(JSON.stringify(health));
    answer.writeHead(404, { 'Content-Type': 'application/json' }).end('{"detail":"no such thing","code":"MODEL_NOT_FOUND"}');
  });
  await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

async function nodeOf(url: string, env: Record<string, string> = {}) {
  const home = await temporaryDirectory();
  const node = await serveInProcess({
    home: join(home, 'n1'),
    args: ['--role', 'node'],
    env: { SKULK_STORE: url, SKULK_NODE_ID: 'n1', ...env },
  });
  onTestFinished(() => node[Symbol.asyncDispose]());
  return node;
}

test('a purge accepts modelId as well as model_id, and null for every model', async () => {
  const world = await fleetWorld();
  await world.add('org/one');
  const host = await world.hostInProcess();
  const purge = async (body: object): Promise<unknown> => {
    const headers = { 'content-type': 'application/json' };
    const { status, body: text } = await ask(host.apiUrl, '/store/purge-staging?wait_ms=0', {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    const answer = JSON.parse(text.toString()) as { detail?: string; order?: { model_id: string | null } };
    return [status, answer.order?.model_id ?? answer.detail];
  };
  expect(await purge({ modelId: 'org/one' })).toEqual([200, 'org/one']);
  expect(await purge({ model_id: 'org/one', modelId: 'org/one' })).toEqual([200, 'org/one']);
  expect(await purge({ model_id: null, modelId: 'org/one', force: true })).toEqual([200, 'org/one']);
  for (const body of [{}, { modelId: null }, { model_id: null }, { model_id: null, modelId: null }])
    expect(await purge(body)).toEqual([200, undefined]);
  expect(await purge({ model_id: 'org/one', modelId: 'org/two' })).toEqual([400, 'model_id and modelId name different models']);
  expect(await purge({ modelId: 'a b' })).toEqual([400, expect.stringContaining('"a b" is not a model id')]);
});

test('a node answers like its host, as long as the host answers', async () => {
  const world = await fleetWorld();
  await world.add('org/one');
  let host = await world.hostInProcess();
  const node = await world.nodeInProcess('n1', host.url);
  const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"force":"yes"}' };
  const same: readonly (readonly [target: string, options?: Parameters<typeof ask>[2]])[] = [
    ['/store/registry'],
    ['/v1/models'],
    ['/store/downloads'],
    ['/store/nothing'],
    ['/store/models/org%2Fnobody/download/status'],
    ['/store/models/org/nobody', { method: 'DELETE' }],
    ['/store/models/..%2Fx', { method: 'DELETE' }],
    ['/store/registry', { method: 'PUT' }],
    ['/store/purge-staging', post],
    ['/store/models/org/one/download', { ...post, body: '{' }],
  ];
  for (const [target, options] of same) {
    const [own, its] = [await ask(node.apiUrl, target, options), await ask(host.apiUrl, target, options)];
    expect([target, own.status, own.json()]).toEqual([target, its.status, its.json()]);
    expect([target, own.headers.allow, own.headers['content-type']]).toEqual([target, its.headers.allow, its.headers['content-type']]);
  }
  expect((await ask(node.apiUrl, '/store/health')).json()).toMatchObject({ storePath: host.storePath, nodeId: 'host' });
  expect((await ask(node.apiUrl, '/store/storage')).json()).toMatchObject({ staging_root: join(world.home, 'n1/staging') });
  expect((await ask(node.apiUrl, '/node/identity')).json()).toMatchObject({ node_id: 'n1', role: 'node' });

  await host.stop();
  const down = await ask(node.apiUrl, '/store/registry');
  expect([down.status, down.json()]).toEqual([
    503,
    { detail: expect.stringMatching(/^Store unreachable: /), code: 'STORE_UNREACHABLE', hint: expect.any(String) },
  ]);
  host = await world.hostInProcess({ port: Number(new URL(host.url).port) });
  expect((await ask(node.apiUrl, '/store/registry')).status).toBe(200);
});

test('a node forwards a stream line by line, with unchanged headers and errors, and reports a client that leaves', async () => {
  let sendMore: (() => void) | undefined;
  let left: (() => void) | undefined;
  const hasLeft = new Promise<void>((resolve) => {
    left = resolve;
  });
  const { url, seen } = await standIn({
    'GET /store/events': (_, answer) => {
      answer.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Special': 'kept', 'Retry-After': '7' });
      answer.write('one\n');
      sendMore = () => void answer.write('two\n');
      answer.once('close', () => left?.());
    },
    'POST /store/verify': (incoming, answer) => void incoming.pipe(answer.writeHead(507, { 'X-Special': 'kept' })),
  });
  const node = await nodeOf(url);
  const { hostname, port } = new URL(node.apiUrl);
  const response = await new Promise<IncomingMessage>((resolve) => request({ hostname, port, path: '/store/events?a=%2F' }, resolve).end());
  expect(response.headers).toMatchObject({ 'content-type': 'text/event-stream', 'x-special': 'kept', 'retry-after': '7' });
  const lines: string[] = [];
  for await (const chunk of response.setEncoding('utf8')) {
    lines.push(chunk as string);
    if (lines.length === 2) break;
    sendMore?.();
  }
  expect(lines).toEqual(['one\n', 'two\n']);
  await hasLeft;
  expect(seen.map((one) => one.url)).toContain('/store/events?a=%2F');
  const body = 'x'.repeat(300_000);
  expect(await ask(node.apiUrl, '/store/verify', { method: 'POST', body })).toMatchObject({
    status: 507,
    headers: { 'x-special': 'kept' },
  });
});

test('a node drops cookies and connection headers of a request, and forwards the token', async () => {
  const { url, seen } = await standIn({});
  const token = 'for-the-store';
  const node = await nodeOf(url, { SKULK_TOKEN: token });
  const headers = { cookie: 'a=b', referer: 'http://x/', te: 'trailers', 'x-kept': 'yes', connection: 'x-drop', 'x-drop': '1' };
  expect((await ask(node.apiUrl, '/store/orders', { headers })).status).toBe(401);
  expect((await ask(node.apiUrl, '/store/orders', { headers: { ...headers, authorization: `Bearer ${token}` } })).status).toBe(404);
  const passed = seen.filter((one) => one.url === '/store/orders');
  expect(passed).toHaveLength(1);
  expect(passed[0]?.headers).toMatchObject({ 'x-kept': 'yes', authorization: `Bearer ${token}`, host: new URL(url).host });
  for (const name of ['cookie', 'referer', 'te', 'x-drop']) expect(passed[0]?.headers).not.toHaveProperty(name);
});

test('a page of the node can change the store, and a page of another site cannot', async () => {
  const { url, seen } = await standIn({ 'DELETE /store/models/a/b': (_, answer) => void answer.end('{}') });
  const node = await nodeOf(url);
  const own = { origin: node.apiUrl, 'sec-fetch-site': 'same-origin' };
  expect((await ask(node.apiUrl, '/store/models/a/b', { method: 'DELETE', headers: own })).status).toBe(200);
  expect(seen.find(({ method }) => method === 'DELETE')?.headers).not.toHaveProperty('origin');
  const other = { origin: 'http://evil.example', 'sec-fetch-site': 'cross-site' };
  expect((await ask(node.apiUrl, '/store/models/a/b', { method: 'DELETE', headers: other })).status).toBe(403);
  expect(seen.filter(({ method }) => method === 'DELETE')).toHaveLength(1);
});

test('a host that breaks off ends the answer, and a host that does not send HTTP is named', async () => {
  const { url } = await standIn({
    'GET /store/nodes': (_, answer) => {
      answer.writeHead(200, { 'Content-Length': '100' });
      answer.write('half', () => answer.socket?.destroy());
    },
  });
  const node = await nodeOf(url);
  await expect(ask(node.apiUrl, '/store/nodes')).rejects.toThrow();
  await using noise = await rawServer((socket) => void socket.end('SSH-2.0-OpenSSH\r\n'));
  const lost = await nodeOf(noise.url);
  const answer = await ask(lost.apiUrl, '/store/registry');
  expect([answer.status, answer.json()]).toEqual([503, expect.objectContaining({ detail: expect.stringMatching(/^Store unreachable/) })]);
});

test('a node uses the protocol of the Python program if its host does not have this API', async () => {
  const entry = { model_id: 'org/one', store_path: 'org--one', files: ['a.gguf'], downloaded_at: '', total_bytes: 3 };
  const { url, seen } = await standIn({ 'GET /registry': (_, answer) => void answer.end(JSON.stringify([entry])) }, { version: '' });
  const node = await nodeOf(url);
  expect((await ask(node.apiUrl, '/store/registry')).json()).toMatchObject({ entries: [{ model_id: 'org/one', tags: [] }] });
  expect(seen.map((one) => one.url)).not.toContain('/store/registry');
});

test('a node without a store reports this', async () => {
  const home = await temporaryDirectory();
  const node = await serveInProcess({ home, args: ['--role', 'node'], env: {} });
  onTestFinished(() => node[Symbol.asyncDispose]());
  for (const target of ['/store/registry', '/store/health', '/v1/models', '/store/downloads']) {
    const answer = await ask(node.apiUrl, target);
    expect([target, answer.status, answer.json()]).toEqual([
      target,
      503,
      { detail: 'Store not configured', code: 'STORE_NOT_CONFIGURED', hint: expect.any(String) },
    ]);
  }
  expect((await ask(node.apiUrl, '/store/storage')).status).toBe(200);
});

test('a node whose store is disabled names the setting and its file', async () => {
  const home = await temporaryDirectory();
  const config = join(home, 'off.yaml');
  await writeFile(config, 'model_store: {enabled: false, store_host: kite9}\n');
  const node = await serveInProcess({ home, args: ['--role', 'node'], env: { SKULK_CONFIG: config } });
  onTestFinished(() => node[Symbol.asyncDispose]());
  expect((await ask(node.apiUrl, '/store/registry')).json()).toEqual({
    detail: 'Store not configured',
    code: 'STORE_NOT_CONFIGURED',
    hint: `set model_store.enabled to true in ${config}, and restart \`skulk serve\``,
  });
});
