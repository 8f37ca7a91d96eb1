import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { StoreNews } from '../../src/core/client/news-client.ts';
import { createStoreClient } from '../../src/core/client/store-client.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { type ScriptedStore, scriptedStore, someDownload, someEntry, someHealth, someNode } from '../helpers/scripted-store.ts';

/** Listens until the test ends; records the events, and the end of the stream. */
function listenTo(store: ScriptedStore) {
  const over = new AbortController();
  const client = createStoreClient({ url: store.url, signal: over.signal, userAgent: 'test', token: 'hush' });
  onTestFinished(() => {
    over.abort();
    client.close();
  });
  const heard: StoreNews[] = [];
  const failure = (async () => {
    for await (const news of client.news(over.signal)) heard.push(news);
  })().then(
    () => undefined,
    (error: unknown) => error,
  );
  const last = <Kind extends StoreNews['kind']>(kind: Kind): Extract<StoreNews, { kind: Kind }> | undefined =>
    heard.findLast((news): news is Extract<StoreNews, { kind: Kind }> => news.kind === kind);
  return { heard, last, failure, over, client };
}

describe('the events that a client receives from a store', () => {
  test('have the complete state first and then the changes, and a stream that ends is opened again with the complete state', async () => {
    const store = await scriptedStore();
    store.tell('registry', { entries: [someEntry('org/one', { tags: ['vision', 'nonsense'], file_count: 7 })] });
    const { heard, last } = listenTo(store);
    await expect
      .poll(() => heard.map(({ kind }) => kind))
      .toEqual(['live', 'registry', 'downloads', 'optimizations', 'nodes', 'orders', 'health']);
    expect(last('registry')?.entries).toEqual([expect.objectContaining({ model_id: 'org/one', file_count: 7, tags: ['vision'] })]);
    expect(last('registry')?.entries[0]).not.toHaveProperty('files');
    expect(last('health')?.health).toMatchObject({ store_path: '/srv/models', free_bytes: someHealth.freeBytes, node_id: 'kite3' });
    store.tell('downloads', { downloads: [someDownload('org/two')] });
    await expect.poll(() => last('downloads')?.downloads[0]?.modelId).toBe('org/two');
    heard.length = 0;
    store.hangUp();
    await expect
      .poll(() => heard.map(({ kind }) => kind))
      .toEqual(['lost', 'live', 'registry', 'downloads', 'optimizations', 'nodes', 'orders', 'health']);
    expect(last('lost')?.error).toMatchObject({ code: 'STORE_UNREACHABLE' });
  });

  test('are checked: invalid values are dropped or end the stream, and unknown kinds of a newer store are ignored', async () => {
    const store = await scriptedStore();
    store.tell('registry', { entries: [someEntry('../x'), someEntry('org/good'), null, 7] });
    store.tell('nodes', { nodes: [someNode('n1', { hostname: 'a\u001b[2Jb' }), someNode('not an id'), {}] });
    store.tell('orders', { orders: [{ order_id: 'x', kind: 'explode', nodes: [] }] });
    store.tell('weather', { sun: true });
    const { heard, last } = listenTo(store);
    await expect.poll(() => last('orders')?.orders).toEqual([]);
    expect(last('registry')?.entries.map(({ model_id }) => model_id)).toEqual(['org/good']);
    expect(last('nodes')?.nodes.map(({ hostname }) => hostname)).toEqual(['a\uFFFD[2Jb']);
    for (const nonsense of [
      'event: registry\ndata: {"entries":7}\n\n',
      'event: health\ndata: {}\n\n',
      'event: downloads\ndata: {no json\n\n',
    ]) {
      heard.length = 0;
      store.write(nonsense);
      await expect.poll(() => heard.map(({ kind }) => kind).slice(0, 2)).toEqual(['lost', 'live']);
    }
  });

  test('can arrive in any pieces, with comments in between', async () => {
    const store = await scriptedStore();
    const { last } = listenTo(store);
    await expect.poll(() => last('health')).toBeDefined();
    const text = `: \n\nevent: downloads\ndata: ${JSON.stringify({ downloads: [someDownload('org/x', { error: '日本' })] })}\n\n`;
    // Some characters are cut in two.
    for (const byte of Buffer.from(text)) {
      store.write(Buffer.of(byte));
      if (byte === 10 || byte > 127) await sleep(1);
    }
    await expect.poll(() => last('downloads')?.downloads[0]).toMatchObject({ modelId: 'org/x', error: '日本' });
  });

  test.each([
    ['does not know the path', { status: 404, body: '{"detail":"no","code":"NOT_FOUND"}' }, 'NOT_FOUND'],
    ['is another program', { status: 404, body: '404: Not Found', type: 'text/plain' }, 'NOT_FOUND'],
    ['answers with a page', { status: 200, body: '<html>', type: 'text/html' }, 'NOT_FOUND'],
    ['has too many listeners', { status: 503, body: '{"detail":"64 listen already","code":"STORE_BUSY"}' }, 'STORE_BUSY'],
    ['refuses access', { status: 401, body: '{"detail":"no"}' }, 'CONFIG'],
  ])('end when the store %s', async (_, refusal, code) => {
    const store = await scriptedStore();
    store.refusal = refusal;
    const { failure, heard } = listenTo(store);
    const error = await failure;
    expect(error).toMatchObject({ code });
    expect(String(error)).not.toContain('hush');
    expect(heard).toEqual([]);
  });

  test('end when nobody listens any more, also while the store is away', async () => {
    const store = await scriptedStore();
    const { over, failure, heard } = listenTo(store);
    await expect.poll(() => heard.length).toBeGreaterThan(3);
    store.refusal = { status: 500, body: '{}' };
    store.hangUp();
    await expect.poll(() => heard.at(-1)?.kind).toBe('lost');
    over.abort();
    expect(await failure).toBeDefined();
    const count = heard.length;
    await sleep(400);
    expect(heard).toHaveLength(count);
  });
});

describe('the preview of a download', () => {
  const wanted = { modelId: parseModelId('org/m'), revision: 'v1' };

  test('is requested from the store and checked', async () => {
    const store = await scriptedStore();
    const quantization = { label: 'Q4\u001b[2J', gguf_file: 'a.gguf', size_bytes: 5, is_preferred: true, in_store: false };
    store.answers.set('/store/hub/org%2Fm', {
      modelId: 'org/m',
      commit: 'c',
      file_count: 2,
      total_bytes: -1,
      quantizations: [quantization, null],
    });
    const { client, over } = listenTo(store);
    expect(await client.offer(wanted, over.signal)).toEqual({
      modelId: 'org/m',
      revision: '',
      commit: 'c',
      files: [],
      file_count: 2,
      total_bytes: 0,
      quantizations: [{ ...quantization, label: 'Q4\uFFFD[2J', files: [] }],
    });
    store.answers.set('/store/hub/org%2Fm', {});
    await expect(client.offer(wanted, over.signal)).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
  });

  test('is unknown if the store does not have the path', async () => {
    const store = await scriptedStore();
    const { client, over } = listenTo(store);
    expect(await client.offer(wanted, over.signal)).toBeUndefined();
  });
});
