import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fakeHub } from '../helpers/fake-hub.ts';
import { pythonRegistry } from '../helpers/python-registry.ts';
import { serveInProcess } from '../helpers/run-in-process.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until } from '../helpers/waiting.ts';

const gguf = (byte: number): Buffer => Buffer.concat([Buffer.from('GGUF'), Buffer.alloc(2000, byte)]);
const weights = { 'config.json': '{}', 'm-Q4_K_M.gguf': gguf(1) };
const id = 'org/m-GGUF';

/** A server of a store whose registry does not know whether the repo of its model ships a projector. */
async function servedModel(repo: Readonly<Record<string, string | Buffer>> | undefined, env: Readonly<Record<string, string>> = {}) {
  const hub = await fakeHub();
  if (repo !== undefined) hub.push(id, { files: repo });
  const home = await temporaryDirectory();
  const store = join(home, 'store');
  await mkdir(store);
  await pythonRegistry(store, 'first').register(id, weights);
  await writeFile(join(home, 'skulk.yaml'), `model_store:\n  store_path: ${store}\n`);
  const served = await serveInProcess({ home, env: { HF_ENDPOINT: hub.url, ...env } });
  const base = `${served.url}/models/${encodeURIComponent(id)}`;
  const list = async (): Promise<unknown> => {
    const answer = await fetch(`${base}/files`);
    return answer.status === 200 ? ((await answer.json()) as string[]).toSorted() : answer.status;
  };
  return { hub, base, list };
}

describe('a GGUF model of a Python store whose registry does not know of a projector', () => {
  test('is incomplete if its repo ships one; the repo is listed once, and a download brings only the projector', async () => {
    const { hub, base, list } = await servedModel({ ...weights, 'mmproj-F16.gguf': gguf(3), 'm-Q8_0.gguf': gguf(2) });
    expect([await list(), await list(), await list()]).toEqual([404, 404, 404]);
    const listed = hub.requests.filter((line) => line.includes('/tree/'));
    expect(listed).toHaveLength(1);
    expect((await fetch(`${base}/download`, { method: 'POST' })).status).toBe(200);
    await until('the projector', async () => (await list()) !== 404);
    expect(await list()).toEqual(['config.json', 'm-Q4_K_M.gguf', 'mmproj-F16.gguf']);
    expect(hub.requests.filter((line) => line.includes('Q8_0') || line.includes('m-Q4_K_M'))).toEqual([]);
  });

  test('is complete if its repo ships none, or if it has no repo', async () => {
    for (const repo of [weights, undefined]) {
      const { hub, list } = await servedModel(repo);
      expect(await list()).toEqual(['config.json', 'm-Q4_K_M.gguf']);
      const before = hub.requests.length;
      expect(before).toBeGreaterThan(0);
      expect(await list()).toEqual(['config.json', 'm-Q4_K_M.gguf']);
      expect(hub.requests).toHaveLength(before);
    }
  });

  test('is complete if Hugging Face must not be used, which is then not asked', async () => {
    const { hub, list } = await servedModel({ ...weights, 'mmproj-F16.gguf': gguf(3) }, { HF_HUB_OFFLINE: '1' });
    expect(await list()).toEqual(['config.json', 'm-Q4_K_M.gguf']);
    expect(hub.requests).toEqual([]);
  });
});
