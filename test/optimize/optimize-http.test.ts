import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { fullWeights, gatedQuantizer, llamaQuantize, spoilingQuantizer } from '../helpers/quantizer.ts';
import { serveInProcess } from '../helpers/run-in-process.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until } from '../helpers/waiting.ts';
import { wants } from '../helpers/wants.ts';

/** The fields of the answers that the dashboard of the Python Skulk reads; it knows no other keys. */
interface DashboardStatus {
  readonly modelId: string;
  readonly status: 'pending' | 'analyzing' | 'optimizing' | 'converting' | 'complete' | 'failed';
  readonly progress: number;
  readonly message: string;
  readonly resultPath: string | null;
  readonly achievedBpw: number | null;
  readonly estimatedSizeMb: number | null;
  readonly error: string | null;
}

async function send<T>(url: string, method: string, body?: unknown): Promise<{ readonly http: number; readonly body: T }> {
  const init = body === undefined ? {} : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(url, { method, ...init });
  return { http: response.status, body: (await response.json()) as T };
}

async function servedWeights(program = llamaQuantize) {
  const world = await hubWorld({ SKULK_ENGINE_LLAMA: program });
  expect(await world.host('add', await fullWeights(), '--as', 'acme/Tiny')).toMatchObject({ status: 0 });
  return { world, served: await world.serveInProcess() };
}

describe('optimizing over HTTP', wants('llama-quantize'), () => {
  test('works with the dashboard of the Python Skulk, which starts, polls and shows the bits', async () => {
    const { served } = await servedWeights();
    const base = `${served.apiUrl}/store/models/${encodeURIComponent('acme/Tiny')}/optimize`;
    // Its button only checks whether a job is known, for which 404 means no; it shows the field `detail` of a refusal.
    expect(await send(`${base}/status`, 'GET')).toMatchObject({ http: 404, body: { detail: expect.stringMatching(/./) } });
    // It offers the button for models without OptiQ in their tags and id.
    const listed = await send<{ entries: { model_id: string; tags: string[] }[] }>(`${served.apiUrl}/store/registry`, 'GET');
    expect(listed.body.entries).toMatchObject([{ model_id: 'acme/Tiny', tags: expect.not.arrayContaining(['optiq']) }]);
    const asked = await fetch(base, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ target_bpw: 5, candidate_bits: [4, 8] }),
    });
    expect(asked.ok).toBe(true);
    expect(await asked.json()).toMatchObject({ modelId: 'acme/Tiny', targetBpw: 5 });
    const words = new Set<string>();
    const done = await until('the end', async () => {
      const { http, body } = await send<DashboardStatus>(`${base}/status`, 'GET');
      expect(http).toBe(200);
      words.add(body.status);
      // All of its keys are always present, each with its type or null.
      expect(body).toMatchObject({
        modelId: 'acme/Tiny',
        status: expect.any(String),
        progress: expect.any(Number),
        message: expect.any(String),
      });
      for (const [key, type] of Object.entries({
        resultPath: 'string',
        achievedBpw: 'number',
        estimatedSizeMb: 'number',
        error: 'string',
      })) {
        const value = body[key as keyof DashboardStatus];
        expect([key, value === null ? type : typeof value]).toEqual([key, type]);
      }
      if (body.status !== 'complete') expect(body.achievedBpw).toBeNull();
      expect(body.progress).toBeGreaterThanOrEqual(0);
      expect(body.progress).toBeLessThanOrEqual(1);
      return body.status === 'complete' || body.status === 'failed' ? body : undefined;
    });
    // The request and the end of the work are two entries of the log.
    const log = async () =>
      (await send<{ entries: { state: string; model_id: string }[] }>(`${served.apiUrl}/store/audit?kind=optimize`, 'GET')).body.entries;
    await expect
      .poll(async () => (await log()).map(({ state, model_id }) => [state, model_id]))
      .toEqual([
        ['ended', 'acme/Tiny'],
        ['accepted', 'acme/Tiny'],
      ]);
    expect([...words].filter((word) => !['pending', 'analyzing', 'converting', 'complete'].includes(word))).toEqual([]);
    expect(done).toMatchObject({
      modelId: 'acme/Tiny',
      status: 'complete',
      progress: 1,
      message: expect.stringMatching(/./),
      resultPath: join(served.storePath, 'acme--Tiny-Q4_K_S-GGUF'),
      error: null,
    });
    expect(done.achievedBpw?.toFixed(2)).toMatch(/^4\.\d\d$/);
    expect(done.estimatedSizeMb).toBeGreaterThan(0);
    // It reads the registry again, which has the result, unlike in the Python Skulk.
    const { body } = await send<{ entries: { model_id: string }[] }>(`${served.apiUrl}/store/registry`, 'GET');
    expect(body.entries.map(({ model_id }) => model_id)).toContain('acme/Tiny-Q4_K_S-GGUF');
  });

  test('refuses a second request for the same result, and removals of the source or the result', async () => {
    const gated = await gatedQuantizer();
    const { world, served } = await servedWeights(gated.program);
    const base = `${served.url}/store/models/acme%2FTiny/optimize`;
    expect(await send(base, 'POST', { type: 'Q4_0' })).toMatchObject({ http: 200, body: { targetId: 'acme/Tiny-Q4_0-GGUF' } });
    await gated.arrived();
    expect(await send(base, 'POST', { type: 'Q4_0' })).toMatchObject({ http: 409, body: { code: 'CONFLICT' } });
    // A request with `join` gets the state; a different request for that id is refused as well.
    expect(await send(base, 'POST', { type: 'Q4_0', join: true })).toMatchObject({ http: 200, body: { status: 'converting' } });
    expect(await send(base, 'POST', { type: 'Q8_0', as: 'acme/Tiny-Q4_0-GGUF', join: true })).toMatchObject({ http: 409 });
    for (const model of ['acme%2FTiny', 'acme%2FTiny-Q4_0-GGUF'])
      expect(await send(`${served.url}/store/models/${model}`, 'DELETE')).toMatchObject({
        http: 409,
        body: { detail: expect.stringContaining('is being optimized') },
      });
    // The source cannot be replaced meanwhile.
    const other = await world.host('add', '--force', await fullWeights('other'), '--as', 'acme/Tiny');
    expect(other).toMatchObject({ status: 5, stderr: expect.stringContaining('in use') });
    // Another variant waits for its turn.
    expect(await send(base, 'POST', { type: 'Q8_0' })).toMatchObject({ http: 200, body: { status: 'pending' } });
    const list = async (query = '') =>
      (await send<{ optimizations: DashboardStatus[] }>(`${served.apiUrl}/store/optimizations${query}`, 'GET')).body.optimizations;
    expect(await list()).toMatchObject([
      { targetId: 'acme/Tiny-Q4_0-GGUF', status: 'converting' },
      { targetId: 'acme/Tiny-Q8_0-GGUF', status: 'pending' },
    ]);
    expect(await send(base, 'DELETE')).toMatchObject({ http: 200, body: { status: 'failed', error_code: 'CANCELLED' } });
    expect(await list()).toEqual([]);
    expect(await list('?recent=true')).toMatchObject([{ error_code: 'CANCELLED' }, { error_code: 'CANCELLED' }]);
    expect(await send(base, 'DELETE')).toMatchObject({ http: 409 });
    expect(await send(`${served.url}/store/models/acme%2FTiny?wait_ms=0`, 'DELETE')).toMatchObject({ http: 200 });
  });

  test('reports a failure in the format of the Python Skulk, for the id of the source and of the result', async () => {
    const { served } = await servedWeights(await spoilingQuantizer('exit 3'));
    const base = `${served.apiUrl}/store/models/acme%2FTiny/optimize`;
    // Without a body it uses the default of the dashboard: 4.5 bits.
    const { http, body } = await send<DashboardStatus & { targetId: string }>(base, 'POST');
    expect([http, body]).toEqual([200, expect.objectContaining({ targetBpw: 4.5, targetId: 'acme/Tiny-Q3_K_M-GGUF' })]);
    const failed = await until('the failure', async () => {
      const { body } = await send<DashboardStatus>(`${base}/status`, 'GET');
      return body.status === 'failed' ? body : undefined;
    });
    expect(failed).toMatchObject({
      modelId: 'acme/Tiny',
      achievedBpw: null,
      resultPath: null,
      error: expect.stringMatching(
        /llama could not make acme\/Tiny-Q3_K_M-GGUF from acme\/Tiny on the store host \S+: it exited with status 3/,
      ),
      error_code: 'ENGINE_FAILED',
    });
    expect(failed.progress).toBeLessThan(1);
    expect(await send(`${served.apiUrl}/store/models/${encodeURIComponent(body.targetId)}/optimize/status`, 'GET')).toMatchObject({
      http: 200,
      body: { modelId: 'acme/Tiny', status: 'failed', error: failed.error },
    });
  });

  test('is refused with 409 while the source is downloaded, whether it is new or gets another quantization', async () => {
    const world = await hubWorld({ SKULK_ENGINE_LLAMA: llamaQuantize });
    const weights = await readFile(join(await fullWeights(), 'tiny-F32.gguf'));
    world.hub.push('acme/Tiny-GGUF', { files: { 'tiny-F32.gguf': weights, 'tiny-Q8_0.gguf': weights } });
    const served = await world.serveInProcess();
    const ask = (url: string) => send<{ readonly hint: string }>(`${url}/store/models/acme%2FTiny-GGUF/optimize`, 'POST', { type: 'Q4_0' });
    const download = `${served.url}/models/acme%2FTiny-GGUF/download`;
    const statusOf = async (): Promise<string> => (await send<{ status: string }>(`${download}/status`, 'GET')).body.status;
    for (const selector of ['F32', 'Q8_0']) {
      world.hub.holdsEnds = true;
      expect(await send(download, 'POST', { selector })).toMatchObject({ http: 200 });
      await until('the download', async () => (await statusOf()) === 'downloading');
      for (const url of [served.url, served.apiUrl])
        expect([selector, await ask(url)]).toEqual([
          selector,
          {
            http: 409,
            body: expect.objectContaining({
              code: 'CONFLICT',
              detail: 'acme/Tiny-GGUF is being downloaded',
              hint: expect.stringContaining('then try again'),
            }),
          },
        ]);
      world.hub.holdsEnds = false;
      await until('the end of the download', async () => (await statusOf()) === 'complete');
    }
    expect(await ask(served.url)).toMatchObject({ http: 200 });
    await until('the variant', async () => (await world.host('show', 'acme/Tiny-Q4_0-GGUF')).status === 0);
  });

  test('is refused with 409 and a time to retry while the source is not hashed yet', async () => {
    const home = await temporaryDirectory();
    const place = join(home, 'store', 'acme--Tiny');
    await mkdir(place, { recursive: true });
    // So much takes a while to hash, and no space on the disk.
    const size = 2 ** 40;
    await writeFile(join(place, 'tiny-F16.gguf'), '');
    await truncate(join(place, 'tiny-F16.gguf'), size);
    const entry = { model_id: 'acme/Tiny', store_path: 'acme--Tiny', files: ['tiny-F16.gguf'], downloaded_at: '', total_bytes: size };
    await writeFile(join(home, 'store', 'registry.json'), JSON.stringify({ 'acme/Tiny': entry }));
    const served = await serveInProcess({ home, env: { SKULK_ENGINE_LLAMA: llamaQuantize } });
    for (const url of [served.url, served.apiUrl]) {
      const answer = await fetch(`${url}/store/models/acme%2FTiny/optimize`, { method: 'POST' });
      expect(answer.status).toBe(409);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await answer.json()).toMatchObject({
        code: 'CONFLICT',
        detail: 'acme/Tiny is being hashed',
        hint: expect.stringMatching(/./),
      });
    }
  });

  test('is refused with 503 by a node without a store, like the Python Skulk does', async () => {
    const home = await temporaryDirectory();
    const node = await serveInProcess({ home, args: ['--role', 'node'], env: {} });
    const answer = { http: 503, body: { detail: 'Store not configured' } };
    expect(
      await send(`${node.apiUrl}/store/models/acme%2FTiny/optimize`, 'POST', { target_bpw: 4.5, candidate_bits: [4, 8] }),
    ).toMatchObject(answer);
    expect(await send(`${node.apiUrl}/store/models/acme%2FTiny/optimize/status`, 'GET')).toMatchObject(answer);
  });

  test('refuses invalid requests on both ports and on a node, which forwards them', async () => {
    const { world, served } = await servedWeights();
    const node = await serveInProcess({ home: join(world.home, 'n1'), args: ['--role', 'node'], env: { SKULK_STORE: served.url } });
    for (const url of [served.url, served.apiUrl, node.apiUrl]) {
      const ask = (body: object, model = 'acme%2FTiny') => send(`${url}/store/models/${model}/optimize`, 'POST', body);
      for (const body of [
        { target_bpw: 0.5 },
        { target_bpw: 17 },
        { candidate_bits: [] },
        { candidate_bits: [4, 9] },
        { engine: 'sh' },
        { type: '--help' },
        { type: '$(id)' },
        { as: '../x' },
        { as: 'acme/Tiny' },
        { selector: '../../etc/passwd.gguf' },
        { threads: 0 },
      ])
        expect([body, await ask(body)]).toMatchObject([body, { http: 400 }]);
      expect(await ask({}, 'acme%2FNone')).toMatchObject({ http: 404, body: { code: 'MODEL_NOT_FOUND' } });
      expect(await ask({ engine: 'optiq' })).toMatchObject({ http: 409 });
      expect(await ask({ selector: 'Q4_K_M' })).toMatchObject({ http: 404 });
      expect(await send(`${url}/store/models/acme%2FTiny/optimize`, 'DELETE')).toMatchObject({ http: 404 });
      const planned = await send(`${url}/store/models/acme%2FTiny/optimize/plan`, 'POST', { type: 'q4_0' });
      expect(planned).toMatchObject({ http: 200, body: { type: 'Q4_0', is_exact: true, state: 'new' } });
    }
    expect(await send(`${node.apiUrl}/store/models/acme%2FTiny/optimize`, 'POST', { type: 'Q4_0' })).toMatchObject({ http: 200 });
    await until('the variant', async () => (await world.host('show', 'acme/Tiny-Q4_0-GGUF')).status === 0);
  });
});
