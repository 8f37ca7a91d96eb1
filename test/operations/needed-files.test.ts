import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { runInProcess } from '../helpers/run-in-process.ts';
import { few, longTest, usualTest } from '../helpers/seeded.ts';
import { serveThroughProxy } from '../helpers/staging-node.ts';
import { leaseNode } from '../leases/lease-node.ts';

const four = ['m-Q4_K_M-00001-of-00002.gguf', 'm-Q4_K_M-00002-of-00002.gguf'];
const models = {
  'org/m': {
    'config.json': '{}',
    'm-Q8_0.gguf': 'eight',
    [four[0] as string]: 'four',
    [four[1] as string]: '4',
    'mmproj-F16.gguf': 'p',
    'MTP/m-Q8_0.gguf': 'mtp',
  },
  'org/text': { 't-Q8_0.gguf': 'eight' },
  'org/plain': { 'model.safetensors': 'a' },
  'org/helper': { 'h-Q4_0.gguf': 'draft' },
};

/** A node of a store; `sent` counts the bytes of files that the store sent it. */
async function node() {
  const { proxy } = await serveThroughProxy(models);
  const own = await leaseNode(proxy.url, { budgetGb: 1 });
  return { ...own, sent: proxy.bytes };
}

describe('stage with --print', () => {
  usualTest.each([
    ['path', 'org/m', ['']],
    ['gguf', 'org/m', [`/${four[0]}`]],
    ['gguf', 'org/m:q8_0', ['/m-Q8_0.gguf']],
    ['mmproj', 'org/m:Q8_0', ['/mmproj-F16.gguf']],
    ['files', 'org/m:Q4_K_M', ['/config.json', ...four.map((name) => `/${name}`), '/mmproj-F16.gguf']],
    ['files', 'org/plain', ['/model.safetensors']],
  ])('prints the %s of %s', async (print, ref, paths) => {
    const { run, root } = await node();
    const copy = join(root, ref.replace(/:.*/, '').replace('/', '--'));
    const { status, stdout, stderr } = await run('stage', ref, '--print', print);
    expect(status, stderr).toBe(0);
    expect(stdout.trimEnd().split('\n').toSorted()).toEqual(paths.map((path) => `${copy}${path}`).toSorted());
  });

  longTest('prints which file it chose, as text on stderr and in JSON', async () => {
    const { run, json } = await node();
    expect((await run('stage', 'org/m:Q4_K_M')).stderr).toContain(`org/m: the file to load is ${four[0]}\n`);
    expect(await json('stage', 'org/m:Q4_K_M')).toMatchObject({
      staged: [
        { gguf_file: four[0], mmproj_file: 'mmproj-F16.gguf', selector: 'Q4_K_M', files: 4, file_paths: expect.arrayContaining(four) },
      ],
    });
    const { staged } = await json<{ staged: object[] }>('stage', 'org/plain');
    expect(staged).toMatchObject([{ gguf_file: null, mmproj_file: null, selector: null, file_paths: ['model.safetensors'] }]);
  });

  test.each(
    few([
      ['gguf', ['org/plain'], 'org/plain has no GGUF file to load'],
      ['mmproj', ['org/text:Q8_0'], 'org/text:Q8_0 has no projector (mmproj)'],
      ['mmproj', ['org/m', 'org/text'], 'org/text has no projector (mmproj)'],
    ]),
  )('fails with 3 before anything is sent when a %s is missing in one of %j', async (print, refs, message) => {
    const { run, sent, root } = await node();
    expect(await run('stage', ...refs, '--print', print)).toMatchObject({
      status: 3,
      stdout: '',
      stderr: expect.stringContaining(message),
    });
    expect(sent()).toBe(0);
    expect((await readdir(root).catch(() => [])).filter((name) => !name.startsWith('.'))).toEqual([]);
    // An existing copy still prints its path.
    await run('stage', ...refs);
    expect(sent()).toBeGreaterThan(0);
    expect(await run('stage', ...refs, '--print', print, '--offline')).toMatchObject({ status: 3, stdout: '' });
  });
});

describe('run with names of files', () => {
  usualTest('replaces the names, and sets them in the environment', async () => {
    const { run, root } = await node();
    const copy = join(root, 'org--m');
    const script = 'echo "$@"; echo "$SKULK_GGUF_FILE $SKULK_MMPROJ_FILE $SKULK_MODEL_PATH"';
    const ended = await run('run', 'org/m', '--', 'sh', '-c', script, '', '{gguf}', '{mmproj}', '{draft}', '{model}', '{{path}');
    expect(ended.stdout).toBe(
      `${copy}/${four[0]} ${copy}/mmproj-F16.gguf ${copy}/MTP/m-Q8_0.gguf org/m {path}\n${copy}/${four[0]} ${copy}/mmproj-F16.gguf ${copy}\n`,
    );
    const text = await run('run', 'org/text', '--', 'sh', '-c', 'printenv SKULK_MMPROJ_FILE || echo none');
    expect(text.stdout).toBe('none\n');
  });

  longTest('stages the draft model of a model beside a selected quantization only if an argument names it', async () => {
    const { run, root } = await node();
    const draft = `${join(root, 'org--m')}/MTP/m-Q8_0.gguf\n`;
    expect((await run('run', 'org/m:Q8_0', '--', 'echo', '{gguf}')).status).toBe(0);
    expect(await readdir(join(root, 'org--m'))).not.toContain('MTP');
    expect(await run('run', 'org/m:Q8_0', '--', 'echo', '{draft}')).toMatchObject({ status: 0, stdout: draft });
    expect(await run('run', 'org/m:Q8_0', '--offline', '--', 'echo', '{draft}')).toMatchObject({ status: 0, stdout: draft });
    // It stays when another quantization is added, and is not sent again.
    expect((await run('stage', `org/m:${four[0]}`)).status).toBe(0);
    expect(await run('run', `org/m:${four[0]}`, '--', 'echo', '{draft}')).toMatchObject({ status: 0, stdout: draft });
    const none = await run('run', 'org/text:Q8_0', '--', 'echo', '{draft}');
    expect(none).toMatchObject({ status: 3, stdout: '', stderr: expect.stringContaining('org/text:Q8_0 has no draft model') });
  });

  test.each(few(['{gguf}', '--x={mmproj}', '{draft}']))('fails with 3 before anything is sent when there is no %s', async (word) => {
    const { run, sent, home } = await node();
    const ended = await run('run', 'org/plain', '--', 'touch', join(home, 'began'), word);
    expect(ended).toMatchObject({ status: 3, stdout: '', stderr: expect.stringContaining('org/plain has no ') });
    expect(sent()).toBe(0);
    expect(await readdir(home)).not.toContain('began');
  });

  longTest('uses the model in the card for {draft}, and its pinned file for {gguf}', async () => {
    const place = await node();
    const cards = join(place.home, 'cards');
    await mkdir(cards);
    await writeFile(join(cards, 'org--text.toml'), 'model_id = "org/text"\n[runtime]\nassistant_model_repo = "org/helper"\n');
    await writeFile(join(cards, 'org--m.toml'), 'model_id = "org/m"\ngguf_file = "m-Q8_0.gguf"\n');
    await writeFile(join(place.home, 'skulk.yaml'), `model_store:\n  cards_path: ${cards}\n`);
    expect((await place.run('run', 'org/text', '--', 'echo', '{draft}')).stdout).toBe(`${join(place.root, 'org--helper')}/h-Q4_0.gguf\n`);
    expect((await place.run('run', 'org/m', '--', 'echo', '{gguf}')).stdout).toBe(`${join(place.root, 'org--m')}/m-Q8_0.gguf\n`);
  });

  longTest('accepts --limit-rate', async () => {
    const { run } = await node();
    expect(await run('run', 'org/text', '--limit-rate', '100M', '--', 'echo', 'x')).toMatchObject({ status: 0, stdout: 'x\n' });
  });
});

describe('a model from Hugging Face without a needed file', () => {
  const files = { 'README.md': 'r', 'Foo-Q4_K_M.gguf': 'four' };

  longTest('is not downloaded by the store', async () => {
    const world = await hubWorld();
    world.hub.push('org/g', { files });
    const served = await world.serveInProcess();
    const ended = await world.nodeInProcess(served, 'node', 'stage', 'org/g', '--print', 'mmproj');
    expect(ended).toMatchObject({ status: 3, stdout: '', stderr: expect.stringContaining('org/g has no projector (mmproj)') });
    for (const path of Object.keys(files)) expect(world.hub.sent(path), path).toBe(0);
    expect((await world.host('registry')).stdout).toBe('');
    expect(await world.nodeInProcess(served, 'node', 'stage', 'org/g', '--print', 'gguf')).toMatchObject({ status: 0 });
  });

  longTest('is not downloaded without a store, and run --direct downloads a complete one without the store', async () => {
    const world = await hubWorld();
    world.hub.push('org/g', { files });
    const env = { SKULK_HOME: join(world.home, 'alone'), HF_ENDPOINT: world.hub.url };
    expect(await runInProcess(['stage', 'org/g', '--print', 'mmproj'], { env })).toMatchObject({ status: 3, stdout: '' });
    for (const path of Object.keys(files)) expect(world.hub.sent(path), path).toBe(0);
    const away = { url: 'http://127.0.0.1:1' };
    expect(await world.node(away, 'node', 'run', 'org/g', '--', 'echo', 'x').exited).toMatchObject({ status: 4, stdout: '' });
    const ran = await world.node(away, 'node', 'run', '--direct', 'org/g', '--', 'echo', '{gguf}').exited;
    expect(ran.stdout, ran.stderr).toBe(`${world.staged('node')}/org--g/Foo-Q4_K_M.gguf\n`);
  });
});
