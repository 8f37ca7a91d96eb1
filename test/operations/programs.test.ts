import { execFile } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect } from 'vitest';
import { forWholeFile } from '../helpers/at-end.ts';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { noise, writeFiles } from '../helpers/model-files.ts';
import { runInProcess } from '../helpers/run-in-process.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { runSkulk } from '../helpers/spawn-skulk.ts';

/** A store host with a model, a machine without a server, and a program that prints its environment and arguments. */
const shared = forWholeFile(async () => {
  const world = await fleetWorld();
  await writeFiles(join(world.home, 'foo'), { 'foo-Q4_K_M.gguf': noise(3000), 'foo-Q8_0.gguf': noise(6000, 2), 'config.json': '{}' });
  expect(await world.host('add', join(world.home, 'foo'), '--as', 'me/foo')).toMatchObject({ status: 0 });
  const host = await world.serveHost();
  const program = join(world.home, 'show');
  await writeFile(
    program,
    `#!/bin/sh\nenv | grep -E '^(HF_|HUGGING|MODEL_|TRANSF|SKULK_MODEL|no_proxy|NO_PROXY)' | grep -v ^HF_HOME | sort\nprintf 'arg %s\\n' "$@"\n`,
  );
  await chmod(program, 0o755);
  return { world, host, program };
});

/** The variables of a user of Hugging Face. */
const before = {
  HF_TOKEN: 'hf_secret',
  HUGGING_FACE_HUB_TOKEN: 'hf_old',
  HF_HUB_OFFLINE: '1',
  TRANSFORMERS_OFFLINE: '1',
  MODEL_ENDPOINT: 'https://elsewhere.example',
  HTTPS_PROXY: '',
  HTTP_PROXY: 'http://127.0.0.1:9',
  no_proxy: 'localhost',
};

describe('skulk env', () => {
  usualTest('prints lines that make a shell use the store, without a Hugging Face token', async () => {
    const { world, host, program } = shared();
    const env = { SKULK_HOME: join(world.home, 'laptop'), SKULK_STORE: host.url, ...before };
    const { status, stdout } = await runInProcess(['env', '--shell', 'sh'], { env });
    expect(status).toBe(0);
    const { stdout: seen } = await promisify(execFile)('/bin/sh', ['-c', `${stdout}\n${program}`], {
      env: { ...env, PATH: '/usr/bin:/bin' },
    });
    expect(seen.split('\n').filter((line) => !line.startsWith('arg'))).toEqual([
      `HF_ENDPOINT=${host.url}`,
      'HF_HUB_DISABLE_IMPLICIT_TOKEN=1',
      'NO_PROXY=localhost,127.0.0.1',
      'no_proxy=localhost,127.0.0.1',
      '',
    ]);
  });

  usualTest('names the server of this machine if it runs one, unless --store names another', async () => {
    const { world, host } = shared();
    const node = await world.nodeInProcess('kite', host.url);
    const asked = async (...args: readonly string[]) => JSON.parse((await world.node('kite', host.url, 'env', '--json', ...args)).stdout);
    expect(await asked()).toMatchObject({ endpoint: node.apiUrl, needs_token: false, token_variable: null });
    expect(await asked('--store', host.url)).toMatchObject({ endpoint: host.url });
  });

  usualTest('fails with 4 without a server', async () => {
    const { world } = shared();
    const env = { SKULK_HOME: join(world.home, 'nowhere') };
    expect(await runInProcess(['env'], { env })).toMatchObject({ status: 4, stdout: '' });
  });
});

describe('skulk run --hf', () => {
  longTest('starts the program with the store as its Hub, and stages nothing', async () => {
    const { world, host, program } = shared();
    const env = { SKULK_HOME: join(world.home, 'desk'), SKULK_STORE: host.url, ...before };
    const args = ['run', '--hf', 'me/foo:Q8_0', '--', program, 'serve', '{model}', '{{x}'];
    const { status, stdout } = await runSkulk(args, { env });
    expect(status).toBe(0);
    expect(stdout.trim().split('\n')).toEqual([
      `HF_ENDPOINT=${host.url}`,
      'HF_HUB_DISABLE_IMPLICIT_TOKEN=1',
      'NO_PROXY=localhost,127.0.0.1',
      'SKULK_MODEL_ID=me/foo',
      'no_proxy=localhost,127.0.0.1',
      'arg serve',
      'arg me/foo',
      'arg {x}',
    ]);
    expect(await world.copies('desk')).toEqual([]);
    expect((await runSkulk(['run', '--hf', 'me/foo', '--', '/bin/sh', '-c', 'exit 7'], { env })).status).toBe(7);
  });

  usualTest('refuses placeholders that only a staged copy has', async () => {
    const { world, host, program } = shared();
    const run = (...args: readonly string[]) => world.node('desk', host.url, 'run', '--hf', 'me/foo', ...args);
    expect(await run('--', program, '-m', '{gguf}')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/--hf[^\n]*\{gguf\}/),
    });
    expect(await run('--offline', '--', program)).toMatchObject({ status: 2 });
    expect(await run('--', 'no-such-program')).toMatchObject({ status: 127 });
  });
});

longTest('a program gets the token of a closed store, and only for a trusted store', async () => {
  const world = await fleetWorld();
  await world.add('me/foo');
  const host = await world.hostInProcess();
  const program = join(world.home, 'show');
  await mkdir(join(world.home, 'desk'), { recursive: true });
  await writeFile(program, `#!/bin/sh\nenv | grep ^HF_ | grep -v ^HF_HOME | sort\n`);
  await chmod(program, 0o755);
  expect(await world.host('policy', 'set', 'lan', 'none')).toMatchObject({ status: 0 });
  const { token } = JSON.parse((await world.host('token', 'create', 'desk', '--role', 'read', '--json')).stdout);
  const env = { SKULK_HOME: join(world.home, 'desk'), SKULK_STORE: host.url, HF_TOKEN: 'hf_secret' };
  const runs = (more: object) => runSkulk(['run', '--hf', 'me/foo', '--', program], { env: { ...env, ...more } });

  expect((await runs({ SKULK_TOKEN: token })).stdout).toBe(`HF_ENDPOINT=${host.url}\nHF_TOKEN=${token}\n`);
  expect(await runs({})).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(/requires a token/) });
  const lines = await runSkulk(['env', '--shell', 'sh'], { env: { ...env, SKULK_TOKEN: token } });
  expect(lines.stdout).toBe(`export HF_ENDPOINT='${host.url}'\nexport HF_TOKEN="$SKULK_TOKEN"\nunset HF_HUB_OFFLINE\n`);
  const without = await runSkulk(['env', '--shell', 'sh'], { env });
  expect(without).toMatchObject({ status: 0, stderr: expect.stringMatching(/set HF_TOKEN to one of its tokens/) });

  // A configuration in the working directory may be part of a cloned repo.
  const repo = join(world.home, 'repo');
  await writeFiles(repo, {
    'skulk.yaml': `model_store:\n  store_host: elsewhere\n  store_http_host: 127.0.0.1\n  store_port: ${new URL(host.url).port}\n`,
  });
  for (const args of [['run', '--hf', 'me/foo', '--', program], ['env']])
    expect(await runSkulk(args, { cwd: repo, env: { SKULK_HOME: env.SKULK_HOME, SKULK_TOKEN: token } })).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(/the token is not sent to the store/),
    });
});

describe('skulk show --use', () => {
  const show = async (...args: readonly string[]) => {
    const { world, host } = shared();
    return world.node('desk', host.url, 'show', ...args);
  };

  usualTest('prints the commands for a program, with the address of the store', async () => {
    const { host } = shared();
    const { status, stdout } = await show('me/foo:Q8_0', '--use', 'llama-server');
    expect(status).toBe(0);
    expect(stdout.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual([
      `HF_ENDPOINT=${host.url} HF_TOKEN= \\`,
      '  llama-server -hf me/foo:Q8_0',
      'skulk run me/foo:Q8_0 -- \\',
      '  llama-server -m {gguf} --port 8080',
    ]);
    expect(JSON.parse((await show('me/foo', '--use', 'ollama', '--json')).stdout)).toMatchObject({
      model_id: 'me/foo',
      selector: 'Q4_K_M',
      address: host.url,
      program: 'ollama',
      lines: [`ollama pull --insecure ${host.url.replace('http://', '')}/me/foo:Q4_K_M`, expect.any(String)],
      problem: null,
      pitfall: expect.any(String),
    });
  });

  usualTest('lists the programs, and fails with 3 for one that cannot load the model', async () => {
    expect((await show('me/foo', '--use', 'list')).stdout).toMatch(/^llama-server +yes +yes/m);
    expect(await show('me/foo', '--use', 'mlx')).toMatchObject({ status: 3, stdout: '', stderr: expect.stringMatching(/has none/) });
    expect(await show('me/foo', '--use', 'word')).toMatchObject({ status: 2 });
  });

  usualTest('prints the commands for a staged copy if no server runs', async () => {
    const { world } = shared();
    const env = { SKULK_HOME: join(world.home, 'alone') };
    await writeFiles(join(world.home, 'bar'), { 'bar-Q4_K_M.gguf': noise(3000) });
    expect(await runInProcess(['add', join(world.home, 'bar'), '--as', 'me/bar'], { env })).toMatchObject({ status: 0 });
    expect((await runInProcess(['show', 'me/bar', '--use', 'llama-server'], { env })).stdout).toMatch(
      /^# No skulk server is running[\s\S]*^skulk run me\/bar/m,
    );
    expect(await runInProcess(['show', 'me/bar', '--use', 'curl'], { env })).toMatchObject({ status: 4 });
  });
});
