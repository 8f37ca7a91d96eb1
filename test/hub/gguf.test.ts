import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { ggufBytes } from '../helpers/gguf-bytes.ts';
import { hubWorld } from '../helpers/hub-world.ts';
import { digestsBelow, noise } from '../helpers/model-files.ts';
import { runInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';

const files = {
  'README.md': 'read me',
  'config.json': '{"model_type":"llama"}',
  'Foo-Q4_K_M.gguf': noise(200_000, 1),
  'Foo-Q5_K_M-00001-of-00002.gguf': noise(100_000, 2),
  'Foo-Q5_K_M-00002-of-00002.gguf': noise(100_001, 3),
  'mmproj-Foo-f16.gguf': noise(50_000, 4),
};
const five = ['Foo-Q5_K_M-00001-of-00002.gguf', 'Foo-Q5_K_M-00002-of-00002.gguf'];
const shared = ['README.md', 'config.json', 'mmproj-Foo-f16.gguf'];
const pathsOf = async (world: Awaited<ReturnType<typeof hubWorld>>): Promise<string[]> =>
  (JSON.parse((await world.host('show', 'org/g', '--json')).stdout) as { files: { path: string }[] }).files.map(({ path }) => path);

longTest('the preferred quantization is downloaded, and then another one is added', async () => {
  const world = await hubWorld();
  world.hub.push('org/g', { files });
  await world.serveInProcess();
  expect((await world.host('download', 'org/g')).status).toBe(0);
  expect(await pathsOf(world)).toEqual(['Foo-Q4_K_M.gguf', ...shared]);
  expect((await world.host('download', 'org/g:Q5_K_M')).status).toBe(0);
  expect(await pathsOf(world)).toEqual(['Foo-Q4_K_M.gguf', ...five, ...shared]);
  expect(world.hub.sent('Foo-Q4_K_M.gguf')).toBe(200_000);
  expect(world.hub.sent('Foo-Q5_K_M-00001-of-00002.gguf')).toBe(100_000);
  const missing = await world.host('download', 'org/g:Q2_K', '--json');
  expect([missing.status, missing.stdout]).toEqual([3, '']);
  expect(JSON.parse(missing.stderr.trim().split('\n').at(-1) ?? '').error).toMatchObject({
    code: 'FILE_NOT_FOUND',
    message: expect.stringContaining('org/g has no Q2_K on Hugging Face'),
    hint: 'it has Q4_K_M, Q5_K_M',
  });
  expect((await world.host('verify')).status).toBe(0);
});

longTest('--gguf-file selects exactly one quantization', async () => {
  const world = await hubWorld();
  world.hub.push('org/g', { files });
  expect((await world.host('download', 'org/g', '--gguf-file', five[1] as string)).status).toBe(0);
  expect(await pathsOf(world)).toEqual([...five, ...shared]);
  const planned = await world.host('download', 'org/g', '--dry-run', '--json');
  expect(JSON.parse(planned.stdout)).toMatchObject({ planned: { gguf_file: 'Foo-Q4_K_M.gguf' } });
  const other = await hubWorld();
  other.hub.push('org/g', { files });
  const fallen = await other.host('download', 'org/g', '--gguf-file', 'Gone-Q8_0.gguf');
  expect(fallen.status).toBe(3);
  expect(fallen.stderr).toMatch(/Gone-Q8_0\.gguf.*Q4_K_M, Q5_K_M/s);
  // There is no store yet, and none was made.
  expect((await other.host('show', 'org/g')).status).toBe(4);
});

longTest('a selector and --gguf-file must name the same quantization', async () => {
  const world = await hubWorld();
  world.hub.push('org/g', { files });
  for (const more of [[], ['--dry-run']]) {
    const two = await world.host('download', 'org/g:Q4_K_M', '--gguf-file', five[1] as string, ...more);
    expect([two.status, two.stdout]).toEqual([2, '']);
    expect(two.stderr).toContain('org/g has Q4_K_M in another file than Foo-Q5_K_M-00002-of-00002.gguf');
  }
  expect((await world.host('download', 'org/g:Q2_K', '--gguf-file', five[1] as string)).status).toBe(3);
  for (const path of Object.keys(files)) expect(world.hub.sent(path), path).toBe(0);
  expect((await world.host('download', 'org/g:q5_k_m', '--gguf-file', five[1] as string)).status).toBe(0);
  expect(await pathsOf(world)).toEqual([...five, ...shared]);
});

usualTest(
  'a request whose selector and gguf_file name two quantizations fails, also without exact, and at once for held ones',
  async () => {
    const world = await hubWorld();
    world.hub.push('org/g', { files });
    const served = await world.serveInProcess();
    const request = async (body: object): Promise<Response> =>
      fetch(`${served.url}/models/org%2Fg/download`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      });
    const status = async () =>
      (await (await fetch(`${served.url}/models/org%2Fg/download/status`)).json()) as { status: string; error: string };
    const contrary = { selector: 'Q4_K_M', gguf_file: five[0] };
    expect((await request(contrary)).status).toBe(200);
    await expect.poll(async () => (await status()).status).toBe('failed');
    expect((await status()).error).toContain(`org/g has ${five[0]} in another file than Q4_K_M`);
    for (const path of Object.keys(files)) expect(world.hub.sent(path), path).toBe(0);
    expect((await world.host('download', 'org/g:Q4_K_M')).status).toBe(0);
    expect((await world.host('download', 'org/g:Q5_K_M')).status).toBe(0);
    const refused = await request(contrary);
    expect([refused.status, await refused.json()]).toMatchObject([
      400,
      { code: 'USAGE', detail: expect.stringContaining('in another file than') },
    ]);
    expect(await (await request({ selector: 'Q5_K_M', gguf_file: five[0] })).json()).toMatchObject({ status: 'complete' });
  },
);

longTest('an old entry without its projector is not served as complete, and the next download completes it', async () => {
  const world = await hubWorld();
  world.hub.push('org/g', { files });
  expect((await world.host('download', 'org/g')).status).toBe(0);
  // The Python program left this: no manifest, and no projector.
  const registry = join(world.storePath, 'registry.json');
  const text = JSON.parse(await readFile(registry, 'utf8')) as Record<string, { files: string[] }>;
  const entries = (text['models'] ?? text) as Record<string, { files: string[] }>;
  const entry = entries['org/g'];
  if (entry === undefined) throw new Error('no entry');
  entry.files = entry.files.filter((path) => !path.startsWith('mmproj'));
  await writeFile(registry, JSON.stringify(text));
  await rm(join(world.storePath, 'org--g', 'mmproj-Foo-f16.gguf'));
  await rm(join(world.storePath, '.skulk', 'v1', 'manifests', 'org--g.json'));
  await rm(join(world.storePath, '.skulk', 'v1', 'seen', 'org--g.json'), { force: true });
  const served = await world.serveInProcess();
  expect((await fetch(`${served.url}/models/org%2Fg/files`)).status).toBe(404);
  const again = await world.host('download', 'org/g');
  expect(again.status, again.stderr).toBe(0);
  expect((await fetch(`${served.url}/models/org%2Fg/files`)).status).toBe(200);
  expect(world.hub.sent('Foo-Q4_K_M.gguf')).toBe(200_000);
  expect(world.hub.sent('mmproj-Foo-f16.gguf')).toBe(100_000);
});

longTest('a download without a selector completes a model without one shard, and adds no other quantization', async () => {
  const world = await hubWorld();
  world.hub.push('org/g', { files });
  expect((await world.host('download', 'org/g:Q5_K_M')).status).toBe(0);
  // The Python program may leave this: no manifest, and some of the shards.
  const registry = join(world.storePath, 'registry.json');
  const entries = JSON.parse(await readFile(registry, 'utf8')) as Record<string, { files: string[] }>;
  for (const entry of Object.values(entries)) entry.files = entry.files.filter((path) => path !== five[1]);
  await writeFile(registry, JSON.stringify(entries));
  await rm(join(world.storePath, 'org--g', five[1] as string));
  for (const place of ['manifests', 'seen']) await rm(join(world.storePath, '.skulk/v1', place, 'org--g.json'));
  const again = await world.host('download', 'org/g', '--json');
  expect(again.status, again.stderr).toBe(0);
  expect(JSON.parse(again.stdout)).toMatchObject({ gguf_file: five[0] });
  expect(await pathsOf(world)).toEqual([...five, ...shared]);
  expect([world.hub.sent('Foo-Q4_K_M.gguf'), world.hub.sent(five[0] as string), world.hub.sent(five[1] as string)]).toEqual([
    0, 100_000, 200_002,
  ]);
  // By then it is whole.
  expect(await world.host('download', 'org/g')).toMatchObject({ status: 0 });
  expect(world.hub.sent(five[1] as string)).toBe(200_002);
});

longTest('the model card on the store host decides which quantization a node stages by default, also after a change', async () => {
  const world = await hubWorld();
  world.hub.push('org/g', { files });
  const served = await world.serveInProcess();
  for (const ref of ['org/g:Q4_K_M', 'org/g:Q5_K_M']) expect((await world.host('download', ref)).status).toBe(0);
  const card = (text: string) => writeFile(join(world.storePath, '.skulk/v1/manifests/org--g.toml'), text);
  const staged = async () => {
    const { stdout, stderr } = await world.nodeInProcess(served, 'node', 'stage', 'org/g', '--json');
    return { file: JSON.parse(stdout).staged[0].gguf_file as string, stderr };
  };
  await card(`model_id = "org/g"\ngguf_file = "${five[0]}"\n`);
  expect((await staged()).file).toBe(five[0]);
  await card('model_id = "org/g"\ngguf_file = "Foo-Q4_K_M.gguf"\n');
  expect((await staged()).file).toBe('Foo-Q4_K_M.gguf');
  // A pinned file that does not exist is replaced, and the command reports it.
  await card('model_id = "org/g"\ngguf_file = "Gone-Q8_0.gguf"\n');
  expect(await staged()).toMatchObject({ file: 'Foo-Q4_K_M.gguf', stderr: expect.stringContaining('Gone-Q8_0.gguf') });
});

usualTest('stage of a quantization downloads only that one, if necessary from the Hub', async () => {
  const world = await hubWorld();
  world.hub.push('org/g', { files });
  const served = await world.serveInProcess();
  const stage = async (ref: string, ...more: string[]) => {
    const ended = await world.nodeInProcess(served, 'node', 'stage', ref, '--json', ...more);
    return { ...ended, ...(ended.status === 0 && { staged: JSON.parse(ended.stdout).staged[0] }) };
  };
  const here = async (): Promise<string[]> =>
    (await readdir(join(world.staged('node'), 'org--g'))).filter((name) => !name.startsWith('.')).sort();
  const first = await stage('org/g:q5_k_m');
  expect(first.status, first.stderr).toBe(0);
  expect(first.staged).toMatchObject({
    source: 'store',
    files: 5,
    bytes_total: 250_001 + Buffer.byteLength(files['config.json'] + files['README.md']),
  });
  expect(await here()).toEqual([...five, ...shared]);
  expect(world.hub.sent('Foo-Q4_K_M.gguf')).toBe(0);
  expect((await stage('org/g:Q5_K_M')).staged).toMatchObject({ source: 'cache', bytes_transferred: 0 });
  expect((await stage(`org/g:${five[1]}`)).staged).toMatchObject({ source: 'cache' });
  expect((await stage('org/g:Q5_K_M', '--offline')).staged).toMatchObject({ source: 'cache' });
  // The other one is added to the store, and on the node beside the first one.
  expect((await stage('org/g:Q4_K_M')).staged).toMatchObject({ bytes_transferred: 200_000, files: 4 });
  expect(await here()).toEqual(['Foo-Q4_K_M.gguf', ...five, ...shared]);
  // No selector is given, so it is one of the existing ones.
  expect((await stage('org/g', '--offline')).staged).toMatchObject({ source: 'cache', selector: 'Q4_K_M' });
  expect((await stage('org/g')).staged).toMatchObject({ source: 'cache', files: 4 });
  expect((await stage('org/g:Q5_K_M')).staged).toMatchObject({ source: 'cache' });
  const ran = await world.node(served, 'node', 'run', 'org/g:Q5_K_M', '--', 'echo', '{gguf}').exited;
  expect(ran.stdout.trim().endsWith(five[0] as string), ran.stderr).toBe(true);
  expect(
    (await runInProcess(['verify', '--staging'], { env: { SKULK_HOME: join(world.home, 'node'), SKULK_STORE: served.url } })).status,
  ).toBe(0);
  // A model with a similar name is not suggested, because the model itself exists.
  world.hub.push('org/h', { files });
  expect((await world.host('download', 'org/h')).status).toBe(0);
  const gone = await stage('org/g:Q2_K');
  expect(gone).toMatchObject({ status: 3, stdout: '' });
  expect(JSON.parse(gone.stderr.trim().split('\n').at(-1) ?? '').error).toMatchObject({ hint: 'it has Q4_K_M, Q5_K_M' });
});

usualTest('a quantization that the repo does not have causes no download of a byte', async () => {
  const world = await hubWorld();
  world.hub.push('org/g', { files });
  const served = await world.serveInProcess();
  expect((await world.nodeInProcess(served, 'node', 'stage', 'org/g:Q2_K')).status).toBe(3);
  for (const path of Object.keys(files)) expect(world.hub.sent(path), path).toBe(0);
});

longTest('a store that holds only the draft of a repo downloads the weights for their label, and never gives the draft', async () => {
  const world = await hubWorld();
  const weights = noise(120_000, 8);
  world.hub.push('org/d', { files: { 'config.json': '{}', 'm-Q8_0.gguf': weights, 'm-mtp-Q8_0.gguf': noise(30_000, 9) } });
  expect(await world.host('download', 'org/d', '--gguf-file', 'm-mtp-Q8_0.gguf')).toMatchObject({ status: 0 });
  const host = await world.serveInProcess();
  const staged = await world.nodeInProcess(host, 'n1', 'stage', 'org/d:Q8_0', '--print', 'gguf');
  expect(staged).toMatchObject({ status: 0 });
  expect(await readFile(staged.stdout.trim())).toEqual(weights);
  expect(await world.host('verify')).toMatchObject({ status: 0 });
});

usualTest('a store that may not ask the Hub does not give the draft of a repo for the label of its weights', async () => {
  const world = await hubWorld();
  world.hub.push('org/d', { files: { 'config.json': '{}', 'm-Q8_0.gguf': noise(120_000, 8), 'm-mtp-Q8_0.gguf': noise(30_000, 9) } });
  expect(await world.host('download', 'org/d', '--gguf-file', 'm-mtp-Q8_0.gguf')).toMatchObject({ status: 0 });
  const ended = await runInProcess(['stage', 'org/d:Q8_0'], {
    env: { SKULK_HOME: join(world.home, 'host'), HF_ENDPOINT: world.hub.url, HF_HUB_OFFLINE: '1' },
  });
  expect(ended).toMatchObject({ status: 3, stdout: '' });
});

usualTest(
  'the registry shows no quantization for a model of which the store has only the draft, and the draft is deleted by its path',
  async () => {
    const world = await hubWorld();
    const draft = 'm-mtp-Q8_0.gguf';
    world.hub.push('org/d', { files: { 'config.json': '{}', 'm-Q4_0.gguf': noise(120_000, 8), [draft]: noise(30_000, 9) } });
    expect(await world.host('download', 'org/d', '--gguf-file', draft)).toMatchObject({ status: 0 });
    const list = async () => (JSON.parse((await world.host('registry', '--json')).stdout) as { entries: object[] }).entries;
    expect(await list()).toMatchObject([{ quantization: null, quantizations: [] }]);
    expect(await world.host('download', 'org/d:Q4_0')).toMatchObject({ status: 0 });
    expect(await list()).toMatchObject([{ quantization: 'Q4_0', quantizations: ['Q4_0'] }]);
    expect(await world.host('show', 'org/d')).toMatchObject({ stdout: expect.stringContaining(draft) });
    const host = await world.serveInProcess();
    expect(await world.nodeInProcess(host, 'n1', 'delete', `org/d:${draft}`, '--yes')).toMatchObject({ status: 0 });
    expect(await list()).toMatchObject([{ quantization: 'Q4_0', files: ['config.json', 'm-Q4_0.gguf'] }]);
    expect(await world.host('verify')).toMatchObject({ status: 0 });
  },
);

longTest('a draft that is the only file with weights in the store is deleted by its path together with the model', async () => {
  const world = await hubWorld();
  world.hub.push('org/d', { files: { 'config.json': '{}', 'm-Q4_0.gguf': noise(120_000, 8), 'm-mtp-Q8_0.gguf': noise(30_000, 9) } });
  expect(await world.host('download', 'org/d', '--gguf-file', 'm-mtp-Q8_0.gguf')).toMatchObject({ status: 0 });
  expect(await world.host('delete', 'org/d:Q8_0', '--yes')).toMatchObject({ status: 3 });
  expect(await world.host('delete', 'org/d:m-mtp-Q8_0.gguf', '--yes')).toMatchObject({ status: 0 });
  expect(JSON.parse((await world.host('registry', '--json')).stdout)).toEqual({ entries: [] });
});

usualTest('the plan of a stage names the file to load as the stage itself does', async () => {
  const world = await hubWorld();
  world.hub.push('org/g', { files });
  expect(await world.host('download', 'org/g:Q5_K_M')).toMatchObject({ status: 0 });
  const host = await world.serveInProcess();
  const run = async (...more: string[]) =>
    JSON.parse((await world.nodeInProcess(host, 'n1', 'stage', 'org/g', '--json', ...more)).stdout) as Record<
      string,
      [Record<string, unknown>]
    >;
  const before = (await run('--dry-run'))['planned']?.[0];
  const staged = (await run())['staged']?.[0];
  const { gguf_file, mmproj_file, selector } = staged ?? {};
  expect(gguf_file).toBe(five[0]);
  expect(before).toMatchObject({ gguf_file, mmproj_file, selector });
  expect((await run('--dry-run'))['planned']?.[0]).toMatchObject({ source: 'cache', gguf_file, mmproj_file, selector });
});

usualTest('the pinned file of the model card is used if no selector is given', async () => {
  const world = await hubWorld();
  world.hub.push('org/g', { files });
  const cards = join(world.home, 'cards');
  await mkdir(cards);
  await writeFile(join(cards, 'org--g.toml'), `model_id = "org/g"\ngguf_file = "${five[0]}"\n`);
  await writeFile(join(world.home, 'skulk.yaml'), `model_store:\n  cards_path: ${cards}\n`);
  expect((await world.host('download', 'org/g', '--config', join(world.home, 'skulk.yaml'))).status).toBe(0);
  expect(await pathsOf(world)).toEqual([...five, ...shared]);
});

longTest('a pinned file that the repo does not have is replaced with a warning', async () => {
  const world = await hubWorld();
  world.hub.push('org/g', { files });
  const cards = join(world.home, 'cards');
  await mkdir(cards);
  await writeFile(join(cards, 'org--g.toml'), 'model_id = "org/g"\ngguf_file = "Gone-Q8_0.gguf"\n');
  await writeFile(join(world.home, 'skulk.yaml'), `model_store:\n  cards_path: ${cards}\n`);
  const config = join(world.home, 'skulk.yaml');
  const ended = await world.host('download', 'org/g', '--json', '--config', config);
  expect(ended.status, ended.stderr).toBe(0);
  expect(ended.stderr.match(/"Gone-Q8_0\.gguf" at main.*using "Foo-Q4_K_M\.gguf" instead/g)).toHaveLength(1);
  expect(JSON.parse(ended.stdout)).toMatchObject({
    gguf_file: 'Foo-Q4_K_M.gguf',
    warnings: expect.arrayContaining([expect.stringContaining('Gone-Q8_0')]),
  });
  // The selector is right, and overrides the card.
  const named = await world.host('download', 'org/g:Q5_K_M', '--config', config);
  expect(named).toMatchObject({ status: 0, stderr: expect.not.stringContaining('Gone') });
});

longTest('every download and stage prints which file it chose', async () => {
  const world = await hubWorld();
  world.hub.push('org/g', { files });
  const served = await world.serveInProcess();
  const downloaded = await world.host('download', 'org/g:Q5_K_M');
  expect(downloaded.stdout).toContain(`the weights are ${five[0]}`);
  const again = JSON.parse((await world.host('download', 'org/g:q5_k_m', '--json')).stdout);
  expect(again).toMatchObject({ status: 'complete', gguf_file: five[0], request: { selector: 'Q5_K_M', exact: true } });
  const staged = await world.node(served, 'node', 'stage', 'org/g', '--json').exited;
  expect(JSON.parse(staged.stdout).staged[0]).toMatchObject({ gguf_file: five[0] });
});

const both = {
  ...files,
  'model.safetensors': noise(80_000, 5),
  'pytorch_model.bin': noise(80_000, 6),
  'mmproj-Foo-bf16.gguf': noise(40_000, 7),
  'extra/video.mp4': noise(30_000, 8),
};

longTest('flags select the files, and existing files stay', async () => {
  const world = await hubWorld();
  world.hub.push('org/b', { files: both });
  await world.serveInProcess();
  const download = async (...more: string[]): Promise<string[]> => {
    const ended = await world.host('download', 'org/b', ...more);
    expect(ended.status, ended.stderr).toBe(0);
    return (JSON.parse((await world.host('show', 'org/b', '--json')).stdout) as { files: { path: string }[] }).files.map(
      ({ path }) => path,
    );
  };
  const safetensors = ['README.md', 'config.json', 'extra/video.mp4', 'model.safetensors'];
  expect(await download()).toEqual(safetensors);
  const gguf = ['Foo-Q4_K_M.gguf', ...safetensors.slice(0, 3), 'mmproj-Foo-f16.gguf', 'model.safetensors'];
  expect(await download('--weights', 'gguf')).toEqual(gguf);
  expect(await download('--mmproj', 'mmproj-Foo-bf16.gguf', '--weights', 'gguf')).toContain('mmproj-Foo-bf16.gguf');
  expect(await download('--include', '*.bin')).toContain('pytorch_model.bin');
  expect(await download('--whole')).toEqual(Object.keys(both).sort());
  for (const [path, content] of Object.entries(both)) expect(world.hub.sent(path), path).toBe(content.length);
  const refused = await world.host('download', 'org/b', '--include', '*-00001-of-*');
  expect([refused.status, refused.stdout]).toEqual([2, '']);
  expect((await world.host('download', 'org/b', '--weights', 'onnx')).status).toBe(2);
});

usualTest('a group with a missing shard is refused with the name of the shard, before a byte is downloaded', async () => {
  const world = await hubWorld();
  world.hub.push('org/h', {
    files: { 'Foo-Q4_K_M-00001-of-00003.gguf': noise(2000, 1), 'Foo-Q4_K_M-00003-of-00003.gguf': noise(2000, 2) },
  });
  const ended = await world.host('download', 'org/h');
  expect(ended.status).toBe(3);
  expect(ended.stderr).toContain('Foo-Q4_K_M-00002-of-00003.gguf');
  expect(world.hub.sent('Foo-Q4_K_M-00001-of-00003.gguf')).toBe(0);
});

usualTest('a download over HTTP accepts and validates the same options, and reports them', async () => {
  const world = await hubWorld();
  world.hub.push('org/b', { files: both });
  const alone = await world.host('download', '--dry-run', '--json', 'org/b:Q5_K_M');
  expect(alone).toMatchObject({
    status: 0,
    stderr: expect.stringContaining('no store was found, so this plan comes from Hugging Face alone'),
  });
  expect(JSON.parse(alone.stdout)).toMatchObject({ planned: { model_id: 'org/b', gguf_file: five[0] } });
  expect(existsSync(world.storePath)).toBe(false);
  const served = await world.serveInProcess();
  const post = async (body: object): Promise<{ status: number; body: Record<string, unknown> }> => {
    const answer = await fetch(`${served.url}/models/org%2Fb/download`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  for (const bad of [
    { weights: 'onnx' },
    { include: [''] },
    { include: Array.from({ length: 17 }, () => '*') },
    { mmproj: '../x.gguf' },
    { selector: '../x.gguf' },
    { gguf_file: 'x.bin' },
    { revision: 'main', source_revision: 'v1' },
  ])
    expect((await post(bad)).status, JSON.stringify(bad)).toBe(400);
  const wanted = { source_revision: 'main', selector: 'Q5_K_M', exclude: ['*.mp4', 'README*'], mmproj: 'all' };
  expect((await post(wanted)).body).toMatchObject({
    request: { revision: 'main', selector: 'Q5_K_M', exclude: ['*.mp4', 'README*'], mmproj: 'all' },
  });
  // The same request joins the download.
  expect(
    (await world.host('download', 'org/b:q5_k_m', '--exclude', '*.mp4', '--exclude', 'README*', '--mmproj', 'all', '--revision', 'main'))
      .status,
  ).toBe(0);
  const { files: listed } = JSON.parse((await world.host('show', 'org/b', '--json')).stdout) as { files: { path: string }[] };
  expect(listed.map(({ path }) => path)).toEqual([...five, 'config.json', 'mmproj-Foo-bf16.gguf', 'mmproj-Foo-f16.gguf']);
});

usualTest('a dry run shows for each file whether and why it is selected, and downloads nothing', async () => {
  const world = await hubWorld();
  world.hub.push('org/b', { files: both });
  const served = await world.serveInProcess();
  const rows = (await world.host('download', '--dry-run', 'org/b:Q5_K_M')).stdout;
  expect(rows).toMatch(/^org\/b at main \(commit [0-9a-f]{40}\): .* in 6 of 10 files$/m);
  expect(rows).toContain(`the weights are ${five[0]}`);
  expect(rows).toMatch(/^Foo-Q4_K_M\.gguf +\S+ \S+ +leave +another quantization$/m);
  expect(rows).toMatch(/^Foo-Q5_K_M-00001-of-00002\.gguf +\S+ \S+ +take +the chosen weights$/m);
  const node = await world.node(served, 'node', 'download', '--dry-run', '--json', 'org/b').exited;
  const { planned } = JSON.parse(node.stdout) as {
    planned: { taken: { path: string; why: string }[]; left: { path: string; why: string }[] };
  };
  expect(planned).toMatchObject({ model_id: 'org/b', gguf_file: null });
  const why = Object.fromEntries([...planned.taken, ...planned.left].map((file) => [file.path, file.why]));
  expect(Object.keys(why).sort()).toEqual(Object.keys(both).sort());
  expect(why).toMatchObject({ 'model.safetensors': 'weights', 'pytorch_model.bin': 'duplicate', 'Foo-Q4_K_M.gguf': 'other-weights' });
  const missing = await world.host('download', '--dry-run', 'org/b:Q2_K');
  expect([missing.status, missing.stdout]).toEqual([3, '']);
  expect(missing.stderr).toContain('Q4_K_M, Q5_K_M');
  for (const path of Object.keys(both)) expect(world.hub.sent(path), path).toBe(0);
  expect((await world.host('show', 'org/b')).status).toBe(3);
  expect((await world.host('download', 'org/b', '--dry-run', '--weights', 'onnx')).status).toBe(2);
  for (const query of ['wanted=', 'wanted=[]', 'wanted={"weights":"x"}', 'wanted={}&wanted={}', 'wanted={"mmproj":"../x"}'])
    expect((await fetch(`${served.url}/store/hub/org%2Fb?${query}`)).status, query).toBe(400);
});

longTest('pieces that were cut by bytes become one file, each piece is checked, and a damaged piece is refused', async () => {
  const world = await hubWorld();
  const whole = Buffer.concat([noise(18_000_000, 1), noise(2_000_001, 2), noise(5_000, 3)]);
  const cut = [whole.subarray(0, 18_000_000), whole.subarray(18_000_000, 20_000_001), whole.subarray(20_000_001)];
  const pieces = Object.fromEntries(cut.map((bytes, index) => [`Foo.Q6_K.gguf.part${index + 1}of3`, bytes]));
  world.hub.push('org/p', { files: { 'Foo.Q4_K_M.gguf': noise(2_000, 4), 'config.json': '{}', ...pieces } });
  const served = await world.serveInProcess();
  const staged = await world.node(served, 'node', 'stage', 'org/p:Q6_K', '--json').exited;
  expect(staged.status, staged.stderr).toBe(0);
  expect(JSON.parse(staged.stdout).staged[0]).toMatchObject({ gguf_file: 'Foo.Q6_K.gguf', bytes_total: whole.length + 2 });
  expect((await readFile(join(world.staged('node'), 'org--p', 'Foo.Q6_K.gguf'))).equals(whole)).toBe(true);
  expect(await readdir(join(world.storePath, 'org--p'))).toEqual(['Foo.Q6_K.gguf', 'config.json']);
  expect((await world.host('verify')).status).toBe(0);
  // Another quantization is added, and the joined file is not fetched again.
  expect((await world.host('download', 'org/p:Q4_K_M')).status).toBe(0);
  expect(JSON.parse((await world.host('download', 'org/p:Q6_K', '--json')).stdout)).toMatchObject({ gguf_file: 'Foo.Q6_K.gguf' });
  for (const [path, bytes] of Object.entries(pieces)) expect(world.hub.sent(path), path).toBe(bytes.length);
});

usualTest('pieces with wrong content are an integrity error', async () => {
  const world = await hubWorld();
  const files = { 'Foo.Q6_K.gguf-split-a': noise(40_000, 1), 'Foo.Q6_K.gguf-split-b': noise(50_000, 2) };
  world.hub.push('org/p', { files });
  world.hub.fault = ({ host, path, response }) => {
    if (host === 'hub' || !path.endsWith('-b')) return false;
    const bytes = Buffer.alloc(files['Foo.Q6_K.gguf-split-b'].length);
    response.writeHead(200, { 'Content-Length': bytes.length }).end(bytes);
    return true;
  };
  const ended = await world.host('download', 'org/p');
  expect([ended.status, ended.stdout]).toEqual([6, '']);
  expect(ended.stderr).toContain('Foo.Q6_K.gguf');
  expect((await world.host('show', 'org/p')).status).toBe(3);
});

longTest('pieces that are complete files are not joined, and can be downloaded separately', async () => {
  const world = await hubWorld();
  const own = ggufBytes({ 'general.architecture': 'llama' });
  const files = { 'Foo.Q6_K-chunk-001-of-002.gguf': own, 'Foo.Q6_K-chunk-002-of-002.gguf': own };
  world.hub.push('org/p', { files });
  const ended = await world.host('download', 'org/p');
  expect(ended).toMatchObject({ status: 8, stdout: '' });
  expect(ended.stderr).toContain('cannot join "Foo.Q6_K.gguf": its piece "Foo.Q6_K-chunk-002-of-002.gguf" is a complete GGUF file');
  const whole = await world.host('download', 'org/p', '--whole', '--json');
  expect(whole.status, whole.stderr).toBe(0);
  expect((await digestsBelow(join(world.storePath, 'org--p')))['Foo.Q6_K-chunk-001-of-002.gguf']).toBeDefined();
});

longTest('the suggested next command of a download and of a cancel keeps the selector, and can be pasted', async () => {
  const world = await hubWorld();
  world.hub.push('org/g', { files: { ...files, 'a b/Foo-Q6_K.gguf': noise(1000, 6) } });
  await world.serveInProcess();
  const nextOf = (stdout: string): string => /^next: (skulk .*)$/m.exec(stdout)?.[1] ?? '';
  const paste = (line: string) => world.host(...line.split(' ').slice(1));
  const whole = await world.host('download', 'org/g');
  expect(nextOf(whole.stdout)).toBe('skulk stage org/g');
  const quantized = await world.host('download', 'hf.co/org/g:q5_k_m');
  expect(quantized.stdout).toContain('the projector is mmproj-Foo-f16.gguf\n');
  expect(nextOf(quantized.stdout)).toBe('skulk stage org/g:q5_k_m');
  const staged = await paste(`${nextOf(quantized.stdout)} --json`);
  expect(JSON.parse(staged.stdout)).toMatchObject({
    staged: [{ selector: 'Q5_K_M', gguf_file: 'Foo-Q5_K_M-00001-of-00002.gguf', files: 5 }],
  });
  const named = await world.host('download', 'org/g', '--revision', 'main', '--gguf-file', 'a b/Foo-Q6_K.gguf');
  expect(nextOf(named.stdout)).toBe("skulk stage 'org/g@main:a b/Foo-Q6_K.gguf'");
  const again = await world.host('download', 'org/g:Q5_K_M', '--json');
  expect(JSON.parse(again.stdout)).toMatchObject({ mmproj_file: 'mmproj-Foo-f16.gguf', files: [...five, ...shared].toSorted() });
});
