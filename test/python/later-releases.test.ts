import { expect, test } from 'vitest';
import { fakeHub } from '../helpers/fake-hub.ts';
import { serveInProcess } from '../helpers/run-in-process.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until } from '../helpers/waiting.ts';

const gguf = (byte: number): Buffer => Buffer.concat([Buffer.from('GGUF'), Buffer.alloc(2000, byte)]);
const files = { 'config.json': '{}', 'm-Q4_K_M.gguf': gguf(1), 'm-Q8_0.gguf': gguf(2) };
const id = 'org%2Fm-GGUF';

const post = (url: string, body: object): Promise<Response> =>
  fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });

test('the store accepts extra_gguf_files and source_revision of later releases of the Python program', async () => {
  const hub = await fakeHub();
  const commit = hub.push('org/m-GGUF', { files });
  const served = await serveInProcess({ home: await temporaryDirectory(), env: { HF_ENDPOINT: hub.url } });
  const body = { gguf_file: 'm-Q4_K_M.gguf', extra_gguf_files: ['m-Q8_0.gguf'], source_revision: commit };
  expect((await post(`${served.url}/models/${id}/download`, body)).status).toBe(200);
  const list = async (query = ''): Promise<unknown> => {
    const answer = await fetch(`${served.url}/models/${id}/files${query}`);
    return answer.status === 200 ? await answer.json() : answer.status;
  };
  await until(
    'both quantizations',
    async () => JSON.stringify(await list()) === JSON.stringify(['config.json', 'm-Q4_K_M.gguf', 'm-Q8_0.gguf']),
  );
  expect(await list(`?source_revision=${commit}`)).toHaveLength(3);
  expect(await list(`?source_revision=${'a'.repeat(40)}`)).toBe(404);
  const bytes = (revision: string) => fetch(`${served.url}/models/${id}/config.json?source_revision=${revision}`);
  expect((await bytes(commit)).status).toBe(200);
  expect((await bytes('a'.repeat(40))).status).toBe(404);
  const status = async () => ((await (await fetch(`${served.url}/models/${id}/download/status`)).json()) as { status: string }).status;
  // The files are listed a moment before their download ends.
  await until('the end of the download', async () => (await status()) === 'complete');
});

test('a node answers GET /models in the format that tools of the Python program expect', async () => {
  const served = await serveInProcess({ home: await temporaryDirectory() });
  const answer = await fetch(`${served.apiUrl}/models`);
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual(await (await fetch(`${served.apiUrl}/v1/models`)).json());
  expect(await (await fetch(`${served.url}/models`)).json()).toEqual([]);
});
