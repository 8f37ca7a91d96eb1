import { afterEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/core/config/load.ts';
import { SkulkError } from '../../src/core/kernel/errors.ts';
import type { World } from '../../src/core/kernel/world.ts';
import { createApiApp } from '../../src/core/server/app/api-app.ts';
import { listen } from '../../src/core/server/app/listen.ts';
import { stopApp } from '../../src/core/server/app/stop-app.ts';
import type { LocalStore } from '../../src/core/store/local-store.ts';
import { directoryStore } from '../helpers/directory-store.ts';
import { ask } from '../helpers/raw-http.ts';
import { testDeps } from '../helpers/world.ts';

const cleanUps: (() => PromiseLike<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

/** The identity of the served node. */
const identity = {
  hostname: 'kite3',
  node_id: 'n1',
  preferred_address: '192.168.1.10',
  version: '1.2.3',
  role: 'store',
  can_restart: false,
};

async function serve({
  overrides = {},
  hasStore = true,
  env = {},
}: {
  overrides?: Partial<LocalStore>;
  hasStore?: boolean;
  env?: Record<string, string>;
} = {}) {
  const store = await directoryStore({ 'org/name-OptiQ': { 'mmproj-x.gguf': 'x', 'a.gguf': 'yy' } }, overrides);
  const world: World = {
    env: { SKULK_HOME: `${store.root}/home`, ...env },
    cwd: store.root,
    platform: process.platform,
    hostname: 'kite3',
    homeDirectory: store.root,
    user: () => 'anna',
    version: '1.2.3',
    now: () => new Date(),
    signal: new AbortController().signal,
    emit: () => {},
  };
  const config = await loadConfig(world);
  const deps = { ...testDeps(world, config), ...(hasStore && { store }) };
  const app = await createApiApp({ deps, identity: () => identity, logLevel: 'silent' });
  const { url } = await listen(app, { host: '127.0.0.1', port: 0 });
  cleanUps.push(
    () => store[Symbol.asyncDispose](),
    () => stopApp(app, { graceMs: 100 }),
  );
  return { url, store };
}

describe('the API of a node', () => {
  test('answers health and registry of the store', async () => {
    const { url, store } = await serve();
    expect((await ask(url, '/store/health')).json()).toMatchObject({
      storePath: store.root,
      freeBytes: 3,
      totalBytes: 5,
      usedBytes: 2,
      models: 1,
      version: '1.2.3',
      hostname: 'kite3',
    });
    expect((await ask(url, '/store/registry/')).json()).toMatchObject({
      entries: [{ model_id: 'org/name-OptiQ', total_bytes: 3, tags: ['vision', 'optiq'] }],
    });
    expect((await ask(url, '/v1/models')).json()).toEqual({
      object: 'list',
      data: [
        {
          id: 'org/name-OptiQ',
          object: 'model',
          created: Date.parse('2026-01-02T03:04:05Z') / 1000,
          owned_by: 'org',
          tags: ['vision', 'optiq'],
          capabilities: ['text', 'vision'],
          supports_tensor: null,
          base_model: null,
          quantization: null,
          family: null,
          context_length: null,
          parameters: null,
          license: null,
          size_bytes: 3,
          files: expect.any(Number),
        },
      ],
    });
  });

  test.each(['org%2Fname-OptiQ', 'org/name-OptiQ'])('answers DELETE /store/models/%s', async (id) => {
    const { url } = await serve();
    expect((await ask(url, `/store/models/${id}`, { method: 'DELETE' })).json()).toMatchObject({
      modelId: 'org/name-OptiQ',
      deleted: true,
      nodes: [],
    });
    const again = await ask(url, `/store/models/${id}`, { method: 'DELETE' });
    expect([again.status, (again.json() as { code: string }).code]).toEqual([404, 'MODEL_NOT_FOUND']);
  });

  test('refuses bad ids, conflicts and wrong methods', async () => {
    const { url } = await serve({ overrides: { remove: () => Promise.reject(new SkulkError('CONFLICT', 'it is being hashed')) } });
    expect((await ask(url, '/store/models/..%2Fx', { method: 'DELETE' })).json()).toMatchObject({ code: 'BAD_MODEL_ID' });
    expect((await ask(url, '/store/models/a%00', { method: 'DELETE' })).status).toBe(400);
    expect((await ask(url, '/store/models/org/name', { method: 'DELETE' })).status).toBe(409);
    expect((await ask(url, '/store/models/org/name', { method: 'PUT' })).headers.allow).toBe('DELETE, GET, HEAD');
  });

  test('answers identity, staging, configuration without secrets, and OpenAPI', async () => {
    const { url } = await serve({ env: { HF_TOKEN: 'hf_secret' } });
    expect((await ask(url, '/node/identity')).json()).toEqual(identity);
    expect((await ask(url, '/store/storage')).json()).toMatchObject({ models: [], total_bytes: 0 });
    const config = await ask(url, '/config');
    expect(config.json()).toMatchObject({ config: { model_store: { store_port: 58080 } }, path: null });
    expect(config.body.toString()).not.toContain('hf_secret');
    expect((await ask(url, '/openapi.json')).json()).toMatchObject({ openapi: '3.1.0', paths: { '/store/health': {}, '/config': {} } });
  });

  test('reports a missing store, and a store that does not answer', async () => {
    const none = await serve({ hasStore: false, env: { SKULK_STORE: 'http://127.0.0.1:9' } });
    const answer = await ask(none.url, '/store/registry');
    expect([answer.status, answer.json()]).toEqual([
      503,
      expect.objectContaining({ code: 'STORE_UNREACHABLE', detail: expect.stringMatching(/^Store unreachable/) }),
    ]);
    const unconfigured = await serve({ overrides: { health: () => Promise.reject(new SkulkError('STORE_NOT_CONFIGURED', 'none')) } });
    const refusal = await ask(unconfigured.url, '/store/health');
    expect([refusal.status, refusal.json()]).toEqual([
      503,
      expect.objectContaining({ code: 'STORE_NOT_CONFIGURED', detail: 'Store not configured' }),
    ]);
  });

  test('requires a configured token', async () => {
    const { url } = await serve({ env: { SKULK_TOKEN: 'tok' } });
    expect((await ask(url, '/node/identity')).status).toBe(401);
    expect((await ask(url, '/node/identity', { headers: { authorization: 'Bearer tok' } })).status).toBe(200);
  });
});
