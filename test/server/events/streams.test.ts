import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, onTestFinished } from 'vitest';
import type { StoreLink } from '../../../src/core/connect/store-link.ts';
import { createAccess } from '../../../src/core/server/access/access.ts';
import { createApp } from '../../../src/core/server/app/create-app.ts';
import { defaultLimits, type Limits } from '../../../src/core/server/app/limits.ts';
import { listen } from '../../../src/core/server/app/listen.ts';
import { stopApp } from '../../../src/core/server/app/stop-app.ts';
import { createEventStreams } from '../../../src/core/server/events/event-stream.ts';
import { createFeed } from '../../../src/core/server/events/feed.ts';
import { forwardToStore } from '../../../src/core/server/routes/forward-to-store.ts';
import { listenTo } from '../../helpers/event-source.ts';
import { ask } from '../../helpers/raw-http.ts';
import { longTest, usualTest } from '../../helpers/seeded.ts';
import { within } from '../../helpers/waiting.ts';

/** No test waits here until a server stops waiting. */
const graceMs = 600_000;

const bareApp = (limits: Limits = defaultLimits) =>
  createApp({ title: 'test', version: '1', access: createAccess({}), hostname: 'kite3', limits, logLevel: 'silent' });

/** A server with one stream, of a text that the test sets. */
async function serve(given: Partial<Limits> = {}) {
  const limits = { ...defaultLimits, ...given };
  const app = await bareApp(limits);
  const streams = createEventStreams(app, limits);
  let value = '';
  let tell: (() => void) | undefined;
  let failure: Error | undefined;
  const feed = createFeed<'text'>({
    topics: {
      text: {
        restMs: 0,
        read: async () => {
          if (failure !== undefined) throw failure;
          return { value };
        },
      },
    },
    onChange: (changed) => {
      tell = () => changed('text');
      return () => {
        tell = undefined;
      };
    },
    pollEveryMs: 60_000,
  });
  app.get('/events', { config: { role: 'open' }, exposeHeadRoute: false }, (request, reply) => streams.answer(request, reply, feed));
  const { url } = await listen(app, { host: '127.0.0.1', port: 0 });
  const stop = () => stopApp(app, { graceMs });
  onTestFinished(stop);
  return {
    url,
    app,
    stop,
    set: (next: string) => {
      value = next;
      tell?.();
    },
    breakDown: (error: Error) => {
      failure = error;
      tell?.();
    },
    isWatched: () => tell !== undefined,
  };
}

describe('a stream of events', () => {
  usualTest('is in the format of Server-Sent Events, also with texts of several lines', async () => {
    const { url, set } = await serve({ heartbeatMs: 20 });
    const source = await listenTo(`${url}/events`);
    expect(source.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    set('two\nlines\r\n\nevent: other\ndata: "x"');
    await source.until<{ value: string }>('text', ({ value }) => value === 'two\nlines\r\n\nevent: other\ndata: "x"');
    await expect.poll(source.comments).toBeGreaterThan(1);
    expect(source.events.map(({ name }) => name)).toEqual(['text', 'text']);
  });

  usualTest('is available to a limited number of clients, and to another one when one leaves', async () => {
    const { url } = await serve({ streams: 2 });
    const first = await listenTo(`${url}/events`);
    await listenTo(`${url}/events`);
    const refused = await ask(url, '/events');
    expect([refused.status, refused.headers['retry-after'], refused.json()]).toEqual([
      503,
      '5',
      { detail: '2 pages and programs listen, which is the limit', code: 'STORE_BUSY', hint: expect.any(String) },
    ]);
    first.close();
    await expect.poll(async () => (await listenTo(`${url}/events`).catch(() => undefined))?.status).toBe(200);
    expect((await ask(url, '/events', { method: 'HEAD' })).status).toBe(405);
  });

  usualTest('is available to a limited number of clients of one address, and then still to another address', async () => {
    const { url } = await serve({ streams: 4, streamsPerAddress: 2 });
    await listenTo(`${url}/events`);
    await listenTo(`${url}/events`);
    expect((await ask(url, '/events')).json()).toMatchObject({ code: 'STORE_BUSY', detail: expect.stringContaining('from 127.0.0.1') });
    const { hostname, port } = new URL(url);
    const elsewhere = connect({ host: hostname, port: Number(port), localAddress: '127.0.0.9' });
    onTestFinished(() => void elsewhere.destroy());
    elsewhere.write('GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    const [first] = (await once(elsewhere, 'data')) as [Buffer];
    expect(first.toString()).toMatch(/^HTTP\/1\.1 200/);
  });

  usualTest('ends with the server, and nothing is watched after the last client leaves', async () => {
    const { url, stop, isWatched } = await serve();
    const source = await listenTo(`${url}/events`);
    expect(isWatched()).toBe(true);
    source.close();
    await expect.poll(isWatched).toBe(false);
    const other = await listenTo(`${url}/events`);
    await within('the stop', stop());
    await within('the end of the stream', other.ended);
  });

  usualTest('that a node forwards from its store does not delay the stop of the node', async () => {
    const app = await bareApp();
    const forward: StoreLink['forward'] = async (_incoming, outgoing, _target, { begin }) => {
      begin();
      outgoing.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders();
      await once(outgoing, 'close');
    };
    forwardToStore(app, { mayForward: async () => true, forward } as Partial<StoreLink> as StoreLink);
    app.get('/store/events', { config: { role: 'open' }, exposeHeadRoute: false }, async () => 'of this node');
    const { url } = await listen(app, { host: '127.0.0.1', port: 0 });
    const source = await listenTo(`${url}/store/events`);
    await within('the stop', stopApp(app, { graceMs }));
    await within('the end of the stream', source.ended);
  });

  usualTest('ends when no more events can follow', async () => {
    const { url, breakDown, isWatched } = await serve();
    const source = await listenTo(`${url}/events`);
    breakDown(new Error('no disk'));
    await source.ended;
    await expect.poll(isWatched).toBe(false);
    expect((await ask(url, '/events')).status).toBe(500);
  });

  longTest('keeps only the newest state for a reader that does not read, and disconnects it in the end', async () => {
    const { url, app, set, isWatched } = await serve({ stallTimeoutMs: 1500, streamsPerAddress: 64 });
    const served: Socket[] = [];
    app.server.on('connection', (socket: Socket) => served.push(socket));
    const { hostname, port } = new URL(url);
    const sockets = Array.from({ length: 20 }, () => connect(Number(port), hostname));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
    });
    for (const socket of sockets) {
      socket.on('error', () => undefined).pause();
      socket.write('GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    }
    await expect.poll(() => served.length).toBe(20);
    const eager = await listenTo(`${url}/events`);
    const mebibyte = 'x'.repeat(1024 * 1024);
    let most = 0;
    for (let round = 1; round <= 60; round += 1) {
      set(`${round} ${mebibyte}`);
      await eager.until<{ value: string }>('text', ({ value }) => value.startsWith(`${round} `));
      eager.clear();
      most = Math.max(most, ...served.map(({ writableLength }) => writableLength));
    }
    // One of sixty events waits for the reader.
    expect(most).toBeGreaterThan(mebibyte.length / 2);
    expect(most).toBeLessThan(mebibyte.length * 1.5);
    await expect.poll(() => served.filter(({ destroyed }) => !destroyed).length).toBe(1);
    eager.close();
    await expect.poll(isWatched).toBe(false);
  });
});
