import { join } from 'node:path';
import { describe, expect, onTestFinished } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { writeFiles } from '../helpers/model-files.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { until } from '../helpers/waiting.ts';

interface Shown {
  readonly status: string;
  readonly error_code: string | null;
  readonly code?: string;
}

/** The two kinds of jobs of a store host, as requested by programs. */
const kinds = [
  {
    kind: 'download',
    running: 'downloading',
    ask: (url: string, revision?: string) =>
      send(`${url}/store/models/org%2Fm/download`, 'POST', { ...(revision !== undefined && { revision }) }),
    cancel: (url: string) => send(`${url}/store/models/org%2Fm/download`, 'DELETE'),
    show: async (url: string) => (await send(`${url}/store/models/org%2Fm/download/status`, 'GET')).body,
  },
  {
    kind: 'staging',
    running: 'staging',
    ask: (url: string, revision?: string) =>
      send(`${url}/node/stage`, 'POST', { model_id: 'org/m', ...(revision !== undefined && { revision }) }),
    cancel: (url: string) => send(`${url}/node/stage/org%2Fm`, 'DELETE'),
    show: async (url: string) => ((await send(`${url}/node/stage`, 'GET')).body as unknown as { jobs: Shown[] }).jobs[0],
  },
];

async function send(url: string, method: string, body?: object): Promise<{ readonly http: number; readonly body: Shown }> {
  const init = body === undefined ? {} : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(url, { method, ...init });
  return { http: response.status, body: (await response.json()) as Shown };
}

describe.each(kinds)('a $kind job', ({ running, ask, cancel, show }) => {
  usualTest('can be joined, stopped, started again after a failure, and completed, like every other job', async () => {
    const world = await hubWorld();
    world.hub.push('org/m', { files: { 'config.json': '{}', 'a.safetensors': Buffer.alloc(100_000, 7) } });
    let gate = Promise.withResolvers<void>();
    world.hub.fault = async () => {
      await gate.promise;
      return false;
    };
    const { apiUrl } = await world.serveInProcess();
    const reaches = (what: string, reached: (job: Shown) => boolean): Promise<Shown> =>
      until(what, async () => {
        const job = await show(apiUrl);
        return job !== undefined && reached(job) ? job : undefined;
      });

    expect((await cancel(apiUrl)).http).toBe(404);
    expect((await ask(apiUrl)).http).toBeLessThan(300);
    await reaches('the run', ({ status }) => status === running);
    expect(await ask(apiUrl)).toMatchObject({ body: { status: running } });
    expect(await ask(apiUrl, 'v2')).toMatchObject({ http: 409, body: { code: 'CONFLICT' } });
    // The answer to a cancel is the end of the job.
    expect(await cancel(apiUrl)).toMatchObject({ http: 200, body: { status: 'failed', error_code: 'CANCELLED' } });
    expect(await cancel(apiUrl)).toMatchObject({ http: 409, body: { code: 'CONFLICT' } });

    // The Hub does not have the revision: the job fails, and another one for the model is accepted.
    gate.resolve();
    await ask(apiUrl, 'v2');
    await reaches('the failure', ({ status, error_code }) => status === 'failed' && error_code === 'REVISION_NOT_FOUND');
    gate = Promise.withResolvers<void>();
    expect(['pending', running]).toContain((await ask(apiUrl)).body.status);
    gate.resolve();
    expect(await reaches('the end', ({ status }) => status === 'complete')).toMatchObject({ error: null, error_code: null, hint: null });
  });
});

describe('two quantizations of one model', () => {
  const files = { 'config.json': '{}', 'm-Q4_K_M.gguf': Buffer.alloc(100_000, 7), 'm-Q8_0.gguf': Buffer.alloc(200_000, 9) };
  const both = ['Q4_K_M', 'Q8_0'];
  const ask = (url: string, selector: string) => send(`${url}/node/stage`, 'POST', { model_id: 'org/m', selector });
  const list = async (url: string) =>
    ((await send(`${url}/node/stage`, 'GET')).body as unknown as { jobs: (Shown & { selector: string })[] }).jobs.map(
      ({ selector, status }) => [selector, status],
    );

  longTest('are staged side by side', async () => {
    const world = await hubWorld();
    await writeFiles(join(world.home, 'm'), files);
    const { apiUrl } = await world.serveInProcess();
    expect(await world.host('add', join(world.home, 'm'), '--as', 'org/m')).toMatchObject({ status: 0 });
    for (const answer of await Promise.all(both.map((selector) => ask(apiUrl, selector)))) expect(answer.http).toBeLessThan(300);
    await until('both to be staged', async () => ((await list(apiUrl)).every(([, status]) => status === 'complete') ? true : undefined));
    expect((await list(apiUrl)).toSorted()).toEqual(both.map((selector) => [selector, 'complete']));
  });

  usualTest('are both stopped by a cancel of the model', async () => {
    const world = await hubWorld();
    world.hub.push('org/m', { files });
    const gate = Promise.withResolvers<void>();
    onTestFinished(() => gate.resolve());
    world.hub.fault = async () => {
      await gate.promise;
      return false;
    };
    const { apiUrl } = await world.serveInProcess();
    expect((await ask(apiUrl, 'Q4_K_M')).http).toBeLessThan(300);
    await until('the first one to run', async () => ((await list(apiUrl)).some(([, status]) => status === 'staging') ? true : undefined));
    expect((await send(`${apiUrl}/node/stage/org%2Fm`, 'DELETE')).body).toMatchObject({ status: 'failed', error_code: 'CANCELLED' });
    expect(await list(apiUrl)).toEqual([['Q4_K_M', 'failed']]);
    expect((await send(`${apiUrl}/node/stage/org%2Fm`, 'DELETE')).body).toMatchObject({ code: 'CONFLICT' });
  });
});
