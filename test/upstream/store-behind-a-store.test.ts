import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { countedDoor } from '../helpers/counted-door.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { noise, sha256, writeFiles } from '../helpers/model-files.ts';
import { ask } from '../helpers/raw-http.ts';
import { runInProcess, serveInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { runSkulk } from '../helpers/spawn-skulk.ts';

const weights = noise(11 * 1024 * 1024, 11);
const files = { 'config.json': '{"a":1}', 'model.safetensors': weights };

/** A main store with a Hub behind it, and the store of another site, which reaches the main store through a door only. */
async function twoSites({ siteEnv = {} }: { readonly siteEnv?: Readonly<Record<string, string>> } = {}) {
  const world = await hubWorld();
  const main = await world.serveInProcess();
  const door = await countedDoor(main.url);
  const home = join(world.home, 'site');
  const env = { HF_ENDPOINT: 'http://127.0.0.1:1', HF_HOME: join(world.home, 'hf'), SKULK_UPSTREAM: door.url, ...siteEnv };
  const site = await serveInProcess({ home, env });
  const node = (name: string, ...args: readonly string[]) =>
    runInProcess(args, {
      env: { SKULK_HOME: join(world.home, name), SKULK_STORE: site.url, HF_ENDPOINT: 'http://127.0.0.1:1' },
    });
  return { world, main, door, site, node, home };
}

const digestIn = async (url: string): Promise<unknown> => ((await ask(url, '/models/org/m/manifest')).json() as { digest: string }).digest;

usualTest('a site takes an added model from the main store once, for all of its nodes, with the same digest', async () => {
  const { world, main, door, site, node } = await twoSites();
  const source = join(world.home, 'source');
  await writeFiles(source, files);
  expect(await world.host('add', source, '--as', 'org/m')).toMatchObject({ status: 0 });
  const before = await ask(main.url, '/models/org/m/manifest');
  for (const name of ['n1', 'n2', 'n3']) {
    const ended = await node(name, 'stage', 'org/m');
    expect(ended).toMatchObject({ status: 0 });
    const staged = join(world.home, name, 'staging', 'org--m');
    expect(ended.stdout).toBe(`${staged}\n`);
    expect(sha256(await readFile(join(staged, 'model.safetensors')))).toBe(sha256(weights));
  }
  expect(door.bytes()).toBeGreaterThan(weights.length);
  expect(door.bytes()).toBeLessThan(1.5 * weights.length);
  expect(await digestIn(site.url)).toBe(await digestIn(main.url));
  expect((await ask(main.url, '/models/org/m/manifest')).body.toString()).toBe(before.body.toString());
  expect((await ask(site.url, '/health')).json()).toMatchObject({ upstream: door.url });
  expect((await ask(main.url, '/health')).json()).toMatchObject({ upstream: null });
});

longTest('what neither store has comes from Hugging Face once, and both stores keep it', async () => {
  const { world, main, site, node } = await twoSites();
  world.hub.push('org/m', { files });
  expect(await node('n1', 'stage', 'org/m')).toMatchObject({ status: 0 });
  expect(world.hub.sent('model.safetensors')).toBe(weights.length);
  await expect.poll(async () => (await ask(main.url, '/models')).json()).toEqual(['org/m']);
  expect((await ask(site.url, '/models')).json()).toEqual(['org/m']);
  expect(await digestIn(site.url)).toBe(await digestIn(main.url));
});

longTest('while the main store is away the site serves what it has, and says what it cannot get', async () => {
  const { world, door, node, site } = await twoSites();
  world.hub.push('org/m', { files });
  expect(await node('n1', 'stage', 'org/m')).toMatchObject({ status: 0 });
  await door.shut();
  expect(await node('n2', 'stage', 'org/m')).toMatchObject({ status: 0 });
  const missing = await node('n2', 'stage', 'org/other');
  expect(missing).toMatchObject({ status: 8, stdout: '' });
  expect(missing.stderr).toContain(`cannot reach ${door.url}`);
  expect(missing.stderr).toContain('check that the store behind --upstream runs');
  expect((await ask(site.url, '/models')).json()).toEqual(['org/m']);
  expect(await readdir(join(world.home, 'n2', 'staging')).then((names) => names.filter((name) => name.includes('other')))).toEqual([]);
});

longTest('a closed main store gets the token for it and no Hugging Face token, and a missing one is named', async () => {
  const world = await hubWorld();
  const source = join(world.home, 'source');
  await writeFiles(source, files);
  expect(await world.host('add', source, '--as', 'org/m')).toMatchObject({ status: 0 });
  const main = await world.serveInProcess();
  const made = await world.host('token', 'create', 'site', '--role', 'node', '--json');
  const { token } = JSON.parse(made.stdout) as { token: string };
  expect(await world.host('policy', 'set', 'lan', 'none')).toMatchObject({ status: 0 });
  await expect.poll(async () => (await ask(main.url, '/models')).status).toBe(401);
  const download = async (name: string, env: Readonly<Record<string, string>>) => {
    const own = { SKULK_HOME: join(world.home, name), HF_TOKEN: 'hf_of_the_site', SKULK_UPSTREAM: main.url, ...env };
    return ('HTTP_PROXY' in env ? runSkulk : runInProcess)(['download', 'org/m'], { env: own });
  };
  const refused = await download('s1', {});
  expect(refused).toMatchObject({ status: 8, stdout: '' });
  expect(refused.stderr).toContain(`the upstream store (${main.url}) requires a token`);
  expect(refused.stderr).toContain('SKULK_UPSTREAM_TOKEN');
  const wrong = await download('s2', { SKULK_UPSTREAM_TOKEN: 'skulk_wrong' });
  expect(wrong).toMatchObject({ status: 8, stderr: expect.stringContaining('does not accept SKULK_UPSTREAM_TOKEN') });
  // The proxy of this machine is for the internet, and gets neither the request nor the token.
  const proxy = { HTTP_PROXY: 'http://127.0.0.1:1', NO_PROXY: '' };
  expect(await download('s3', { SKULK_UPSTREAM_TOKEN: token, ...proxy })).toMatchObject({ status: 0 });
  expect(main.stderr()).not.toContain('hf_of_the_site');
});

longTest('a store and nodes that may not ask Hugging Face still ask the upstream store', async () => {
  const { world, node } = await twoSites({ siteEnv: { HF_HUB_OFFLINE: '1' } });
  const source = join(world.home, 'source');
  await writeFiles(source, files);
  expect(await world.host('add', source, '--as', 'org/m')).toMatchObject({ status: 0 });
  const home = join(world.home, 'n1');
  await writeFiles(home, { 'skulk.yaml': 'model_store:\n  download:\n    allow_hf_fallback: false\n' });
  expect(await node('n1', 'stage', 'org/m', '--config', join(home, 'skulk.yaml'))).toMatchObject({ status: 0 });
});

longTest('a model or a revision that the main store lacks and cannot get is not found, with the way to see what there is', async () => {
  const { world, door, node } = await twoSites();
  const ended = await node('n1', 'stage', 'org/none');
  expect(ended).toMatchObject({ status: 3, stdout: '' });
  expect(ended.stderr).toContain(`the upstream store (${door.url}) has no model org/none`);
  expect(ended.stderr).toContain(`skulk registry --store ${door.url}`);
  world.hub.push('org/m', { files: { 'config.json': '{}' } });
  const revision = await node('n1', 'stage', 'org/m@v9');
  expect(revision).toMatchObject({ status: 3, stdout: '' });
  expect(revision.stderr).toContain(`the upstream store (${door.url}) has no revision "v9" of org/m`);
});

usualTest('a gated model is downloaded at the main store only, and the site says so', async () => {
  const { world, door, node } = await twoSites();
  world.hub.push('org/gated', { files, gated: true });
  const ended = await node('n1', 'stage', 'org/gated');
  expect(ended).toMatchObject({ status: 8, stdout: '' });
  expect(ended.stderr).toContain(`org/gated is gated or private, so the upstream store (${door.url}) does not download it automatically`);
  expect(world.hub.requests.filter((one) => one.includes('/resolve/'))).toEqual([]);
});

longTest('two stores that name each other as upstream refuse instead of asking each other for ever', async () => {
  const world = await hubWorld();
  const door = await countedDoor('http://127.0.0.1:1');
  const first = await serveInProcess({ home: join(world.home, 'a'), env: { SKULK_UPSTREAM: door.url } });
  const second = await serveInProcess({ home: join(world.home, 'b'), env: { SKULK_UPSTREAM: first.url } });
  await door.open(second.url);
  const ended = await runInProcess(['download', 'org/m'], { env: { SKULK_HOME: join(world.home, 'n'), SKULK_STORE: first.url } });
  expect(ended.status).toBe(8);
  expect(ended.stderr).toContain('leads back');
});

usualTest.each([
  [['--upstream', 'ftp://other'], /--upstream is not the URL of a store: "ftp:\/\/other"/],
  [['--upstream', 'http://user:secret@other:58080'], /--upstream is not the URL of a store/],
  [['--role', 'node', '--upstream', 'http://other:58080'], /--role node has no store, so --upstream cannot be used with it/],
])('serve %j is refused with a sentence', async (args, says) => {
  const world = await hubWorld();
  const ended = await runInProcess(['serve', '--port', '0', '--api-port', '0', ...args], { env: { SKULK_HOME: join(world.home, 'h') } });
  expect(ended).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(says) });
  expect(ended.stderr).not.toContain('secret');
});
