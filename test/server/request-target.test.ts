import { createServer } from 'node:http';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { createForwarder } from '../../src/core/client/http/forward.ts';
import { targetOfRoute } from '../../src/core/server/app/request-target.ts';
import { forWholeFile } from '../helpers/at-end.ts';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { rawServer, talk } from '../helpers/raw-http.ts';
import { rounds, testSeed } from '../helpers/seeded.ts';

/** Sends one raw request line; gives the status and the body of the answer. */
async function request(url: string, line: string, body = ''): Promise<{ readonly status: number; readonly body: string }> {
  const head = `${line}\r\nHost: ${new URL(url).host}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
  const text = await talk(url, head + body);
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), body: text.slice(text.indexOf('\r\n\r\n') + 4) };
}

const climbing = [
  '/store/../nodes',
  '/store/%2e%2e/nodes',
  '/store/.%2E/nodes',
  '/store/./health',
  '/store/x/../../nodes',
  '/store/..\\nodes',
  '/store\\..\\nodes',
  '/store/%5c..%5cnodes',
  '/store/models/../../verify',
  '/v1/models/../../nodes',
  '/store/models/%ff',
  '/..',
  '/.',
];

const servers = forWholeFile(async () => {
  const world = await fleetWorld();
  await world.add('org/one');
  const host = await world.serveHost();
  const node = await world.serveNode('n1', host.url);
  return { host: host.apiUrl, store: host.url, node: node.apiUrl };
});

test('a node does not forward a target outside the routes of the store', async () => {
  const urls = servers();
  for (const target of climbing)
    for (const method of ['GET', 'POST', 'DELETE']) {
      for (const url of [urls.node, urls.host, urls.store]) {
        const answer = await request(url, `${method} ${target} HTTP/1.1`);
        expect([method, target, answer.status, JSON.parse(answer.body).code]).toEqual([method, target, 400, 'BAD_PATH']);
      }
    }
  for (const target of [
    '//nodes',
    '/store//nodes',
    '/store/;/nodes',
    '/store/nodes/n1',
    '/store%2F..%2Fnodes',
    '/store/models/..%2f..%2fnodes',
    '/store/%2e%2e%2fnodes',
    '/store/registry%00',
    '/store/models/org%00',
    '/verify',
  ]) {
    const { status } = await request(urls.node, `GET ${target} HTTP/1.1`);
    expect([400, 404, 405], target).toContain(status);
  }
  expect((await request(urls.node, 'POST /verify HTTP/1.1', '{}')).status).toBe(404);
});

test('an absolute request target is served as its path, and other forms are refused', async () => {
  const urls = servers();
  for (const url of [urls.node, urls.host]) {
    const { host } = new URL(url);
    const plain = await request(url, 'GET /store/health HTTP/1.1');
    const absolute = await request(url, `GET http://${host}/store/health HTTP/1.1`);
    expect([absolute.status, JSON.parse(absolute.body).storePath]).toEqual([200, JSON.parse(plain.body).storePath]);
    expect((await request(url, `GET HTTP://${host}/store/downloads?recent=true HTTP/1.1`)).status).toBe(200);
    expect((await request(url, `GET http://${host}/store/../nodes HTTP/1.1`)).status).toBe(400);
    expect((await request(url, 'OPTIONS * HTTP/1.1')).status).toBe(400);
    expect((await request(url, `CONNECT ${host} HTTP/1.1`)).status).toBe(400);
    // The owner of a page depends on the requested name, and here that is the one in the target.
    expect((await request(url, 'GET http://evil.example.com/store/health HTTP/1.1')).status).toBe(403);
    expect((await request(url, `GET http://a@${host}/store/health HTTP/1.1`)).status).toBe(400);
  }
  expect((await request(urls.store, `GET http://${new URL(urls.store).host}/models HTTP/1.1`)).status).toBe(200);
  const file = `http://${new URL(urls.store).host}/models/org%2Fone/a.gguf`;
  expect(await request(urls.store, `GET ${file} HTTP/1.1`)).toEqual({ status: 200, body: 'some bytes' });
});

test('no request target causes a server error, or gets through a node to another route', async () => {
  const urls = servers();
  const part = fc.oneof(
    fc.constantFrom('..', '.', '', '%2e%2e', '%2F', '%5c', '\\', ';', '%00', '%', '#', 'store', 'nodes', 'verify', 'models', 'org', 'one'),
    fc.string({ maxLength: 6 }).map((text) => text.replaceAll(/[\s\u0080-\uffff\p{Cc}]/gu, '')),
    fc.webSegment({ size: 'small' }),
  );
  const path = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => `/${parts.join('/')}`);
  const target = fc
    .tuple(
      fc.constantFrom('', '', '/store', '/store/models', 'http://127.0.0.1', 'http:', 'ftp://x'),
      path,
      fc.constantFrom('', '?a=%ff&b', '?#'),
    )
    .map((parts) => parts.join(''));
  const nodes = JSON.parse((await request(urls.store, 'GET /nodes HTTP/1.1')).body) as unknown;
  await fc.assert(
    fc.asyncProperty(target, fc.constantFrom('GET', 'HEAD'), async (given, method) => {
      for (const url of [urls.node, urls.host, urls.store]) {
        const { status, body } = await request(url, `${method} ${given} HTTP/1.1`);
        expect(status, given).toBeGreaterThanOrEqual(200);
        expect(status, given).toBeLessThan(500);
        // The store's own list of nodes is an array, and only its own port has that.
        if (url !== urls.store && status === 200 && method === 'GET') expect(Array.isArray(tryJson(body)), given).toBe(false);
      }
    }),
    { numRuns: rounds({ few: 20, many: 2000 }), seed: testSeed },
  );
  expect(Array.isArray(nodes)).toBe(true);
});

test('a target is built from the parts of its route, with any content', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (id) => {
      const target = targetOfRoute('/store/models/:id/download', { id }, '');
      expect(target.split('/')).toHaveLength(5);
      expect(target).toMatch(/^[\x21-\x7e]+$/);
    }),
    { seed: testSeed },
  );
  expect(targetOfRoute('/store/models/:org/:name/q/*', { org: 'a', name: 'b', '*': 'c d/e?f' }, '?x=é#')).toBe(
    '/store/models/a/b/q/c%20d/e%3Ff?x=%e9%23',
  );
});

const tryJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

test('a body that a node forwards never becomes a separate request at the store', async () => {
  await using store = await rawServer((socket) => {
    // Data after the head may arrive a moment later.
    setTimeout(() => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}'), 50);
  });
  const lookup = { open: undefined, withToken: undefined };
  const forwarder = createForwarder({ url: store.url, withheld: undefined, lookup, connectTimeoutMs: 60_000, silenceMs: 60_000 });
  const node = createServer((incoming, outgoing) => {
    void forwarder.forward(incoming, outgoing, '/store/registry', { begin: () => undefined, authorization: undefined });
  });
  await new Promise<void>((resolve) => node.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    forwarder.close();
    node.close();
  });
  const address = node.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  const smuggled = 'DELETE /nodes/n1 HTTP/1.1\r\nHost: x\r\n\r\n';
  const chunked = `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`;
  const framings = [
    ['Transfer-Encoding: chunked', chunked],
    [`Content-Length: ${smuggled.length}`, smuggled],
    [`Connection: close, content-length\r\nContent-Length: ${smuggled.length}`, smuggled],
    ['Connection: close, transfer-encoding\r\nTransfer-Encoding: chunked', chunked],
  ] as const;
  for (const method of ['GET', 'DELETE', 'OPTIONS', 'POST'])
    for (const [framing, body] of framings) {
      store.heads.length = 0;
      const answer = await talk(url, `${method} / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${framing}\r\n\r\n${body}`);
      expect(answer, `${method} ${framing}`).toMatch(/^HTTP\/1\.1 200 /);
      const sent = store.heads.join('');
      const head = sent.slice(0, sent.indexOf('\r\n\r\n')).toLowerCase();
      const isFramed = head.includes('transfer-encoding: chunked') || head.includes(`content-length: ${smuggled.length}`);
      expect([method, framing, isFramed || !sent.includes(smuggled)]).toEqual([method, framing, true]);
    }
});
