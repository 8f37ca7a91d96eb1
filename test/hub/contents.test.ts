import { expect } from 'vitest';
import { hubWorld } from '../helpers/hub-world.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';

const page = '<!DOCTYPE html><html><title>Sign in</title></html>';
const files = { 'config.json': '{}', 'm-Q4_K_M.gguf': page, 'tokenizer.json': page };

longTest(
  'a download that no program can load is reported to the client, in the list of downloads and in the log, and --strict refuses it',
  async () => {
    const world = await hubWorld();
    world.hub.push('org/m-GGUF', { files });
    const served = await world.serveInProcess();
    const says = '"m-Q4_K_M.gguf" cannot be used: it is a web page saved under this name';

    const strict = await world.host('download', 'org/m-GGUF', '--strict');
    expect(strict).toMatchObject({ status: 6, stdout: '' });
    expect(strict.stderr).toContain(says);
    expect(await (await fetch(`${served.url}/models`)).json()).toEqual([]);

    const before = world.hub.sent('m-Q4_K_M.gguf');
    const loose = await world.host('download', 'org/m-GGUF', '--json');
    expect(loose.status, loose.stderr).toBe(0);
    expect(loose.stderr).toContain(`skulk: warning: org/m-GGUF: ${says}`);
    // The files of a strict download are not fetched again.
    expect(world.hub.sent('m-Q4_K_M.gguf')).toBe(before);
    const { warnings } = JSON.parse(loose.stdout) as { warnings: readonly string[] };
    expect(warnings).toEqual([`org/m-GGUF: ${says}`, expect.stringContaining('tokenizer.json')]);
    expect(await (await fetch(`${served.url}/downloads?recent=true`)).json()).toMatchObject([{ status: 'complete', warnings }]);
    expect(await (await fetch(`${served.url}/models/org%2Fm-GGUF/download/status`)).json()).toMatchObject({ warnings });

    // The data exists, and a strict request reports the problem.
    const again = await world.host('download', 'org/m-GGUF');
    expect(again.status, again.stderr).toBe(0);
    expect(again.stdout).toContain('no program can load it: "m-Q4_K_M.gguf" is a web page saved under this name');
    expect(`${again.stdout}${again.stderr}`).toContain('`skulk verify org/m-GGUF` lists the files');
    expect(`${again.stdout}${again.stderr}`).not.toContain('next: skulk stage');
    expect(await world.host('download', 'org/m-GGUF', '--strict')).toMatchObject({ status: 6, stderr: expect.stringContaining(says) });
  },
);

usualTest('the warning about files that no program can load is printed without a server and without a store as well', async () => {
  const world = await hubWorld();
  world.hub.push('org/m-GGUF', { files });
  const alone = await world.host('download', 'org/m-GGUF');
  expect(alone.status, alone.stderr).toBe(0);
  expect(alone.stderr.match(/m-Q4_K_M\.gguf" cannot be used/g)?.length).toBe(1);
  const { runInProcess } = await import('../helpers/run-in-process.ts');
  const env = { SKULK_HOME: `${world.home}/alone`, HF_ENDPOINT: world.hub.url };
  const staged = await runInProcess(['stage', 'org/m-GGUF'], { env });
  expect(staged.status, staged.stderr).toBe(0);
  expect(staged.stderr).toContain('m-Q4_K_M.gguf" cannot be used');
});
