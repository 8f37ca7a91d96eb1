import { expect, test } from 'vitest';
import { recordServer } from '../../src/core/access/serve-record.ts';
import type { Deps } from '../../src/core/connect/deps.ts';
import { chooseEndpoint, openHub } from '../../src/core/connect/open-hub.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { testConfig, testWorld } from '../helpers/world.ts';

const url = 'http://127.0.0.1:52415';

test.each([
  ['http://127.0.0.1:52415', true],
  ['http://localhost:58080/', true],
  ['http://127.0.0.1:9999', false],
  ['http://192.0.2.77:52415', false],
  ['https://hub.example', false],
])('HF_ENDPOINT=%s is an address of this machine: %s, and then the server uses Hugging Face instead', async (endpoint, isOwn) => {
  const home = await temporaryDirectory();
  const world = testWorld(home, { env: { HF_ENDPOINT: endpoint } });
  const deps = { world, config: testConfig(world) };
  expect(await chooseEndpoint(deps)).toBe(endpoint);
  const forget = await recordServer(home, {
    role: 'store',
    storePath: null,
    apiUrl: url,
    localApiUrl: url,
    urls: [url, 'http://127.0.0.1:58080'],
  });
  expect(await chooseEndpoint(deps)).toBe(isOwn ? 'https://huggingface.co' : endpoint);
  expect(world.warnings()).toHaveLength(isOwn ? 1 : 0);
  await forget();
  expect(await chooseEndpoint(deps)).toBe(endpoint);
});

test.each([
  ['http://localhost:58080', true],
  ['http://192.0.2.77:58080', false],
])('--upstream %s is the server of this machine: %s, and then it is refused', async (upstream, isOwn) => {
  const home = await temporaryDirectory();
  const world = testWorld(home, { env: { SKULK_UPSTREAM: upstream } });
  const deps = { world, config: testConfig(world) } as unknown as Deps;
  await recordServer(home, { role: 'store', storePath: null, apiUrl: url, localApiUrl: url, urls: [url, 'http://127.0.0.1:58080'] });
  const open = async (): Promise<void> => (await openHub(deps, { connections: 1 }))[Symbol.dispose]();
  if (isOwn) await expect(open()).rejects.toMatchObject({ code: 'CONFIG', message: `--upstream ${upstream} is this store itself` });
  else await open();
});
