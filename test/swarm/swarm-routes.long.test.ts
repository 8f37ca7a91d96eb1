import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { noise, writeFiles } from '../helpers/model-files.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until } from '../helpers/waiting.ts';
import { wants } from '../helpers/wants.ts';

const json = async (url: string, body?: object, token?: string) => {
  const headers = { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) };
  const options = body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) };
  return (await fetch(url, options)).json() as Promise<Record<string, unknown>>;
};

/** A server of a store with one model. */
async function storeWithModel() {
  const home = await temporaryDirectory();
  await writeFiles(join(home, 'model'), { 'a.bin': noise(3 * 1024 * 1024) });
  const server = await serveInProcess({ home });
  const env = { SKULK_HOME: home };
  expect((await runInProcess(['add', join(home, 'model'), '--as', 'org/a'], { env })).status).toBe(0);
  const { digest } = await json(`${server.url}/models/org%2Fa/manifest`);
  const ask = (more: object = {}) => json(`${server.url}/models/org%2Fa/swarm`, { digest, ...more });
  const set = async (...settings: readonly string[]) => {
    for (const setting of settings)
      expect(await runInProcess(['policy', 'set', ...setting.split('=')], { env })).toMatchObject({ status: 0 });
  };
  return { home, server, digest, ask, set };
}

test('a store sends a small model alone, and describes a larger one to two nodes', wants('aria2'), async () => {
  const { server, digest, ask, set } = await storeWithModel();
  for (let node = 0; node < 3; node += 1) expect(await ask()).toMatchObject({ state: 'wire', member: '' });
  await set('swarm.min_bytes=1');
  const first = await until('a key', async () => (await ask())['member'] || undefined);
  const answer = await until('the swarm', async () => {
    const now = await ask({ member: first });
    if (now['member'] === '' || now['members'] === 1) await ask();
    return now['state'] === 'swarm' ? now : undefined;
  });
  expect(answer).toMatchObject({ member: first, torrent: expect.any(String) });
  // Also at the port of the API.
  for (const url of [server.url, server.apiUrl])
    expect(await json(`${url}/store/swarm`)).toMatchObject({
      swarms: [{ model_id: 'org/a', digest, seeders: expect.any(Number), host_sent_bytes: 0, ended_at: null }],
    });
  expect(await (await fetch(`${server.url}/swarm/announce?key=guess&info_hash=a&port=1`)).text()).toContain('failure reason');
  await server.stop();
  await expect(access(join(server.storePath, '.skulk', 'v1', 'seeding', 'aria2.json'))).rejects.toMatchObject({ code: 'ENOENT' });
});

test(
  'a store whose LAN needs a token shares nothing, because peers know no tokens, unless its policy says true',
  wants('aria2'),
  async () => {
    const { home, server, ask, set } = await storeWithModel();
    await set('swarm.enabled=auto', 'swarm.min_bytes=1');
    await until('a key', async () => (await ask())['member'] || undefined);
    await server.stop();
    const closed = await serveInProcess({ home, env: { SKULK_TOKEN: 'a-long-enough-token' } });
    const { digest } = await json(`${closed.url}/models/org%2Fa/manifest`, undefined, 'a-long-enough-token');
    const answer = await json(`${closed.url}/models/org%2Fa/swarm`, { digest }, 'a-long-enough-token');
    expect(answer).toEqual({ state: 'wire', member: '', members: 0, host_sent_bytes: 0 });
    await set('swarm.enabled=true');
    const join = () => json(`${closed.url}/models/org%2Fa/swarm`, { digest }, 'a-long-enough-token');
    await until('a key', async () => (await join())['member'] || undefined);
    expect((await fetch(`${closed.url}/models/org%2Fa/swarm`, { method: 'POST', body: '{}' })).status).toBe(401);
    // aria2 has no token, so the tracker asks for none.
    expect(await (await fetch(`${closed.url}/swarm/announce?key=guess`)).text()).toContain('failure reason');
    await set('swarm.enabled=false');
    await until('the end', async () => (await join())['member'] === '');
  },
);
