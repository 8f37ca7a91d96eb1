import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import { scriptedStore } from '../helpers/scripted-store.ts';
import { longTest, usualTest } from '../helpers/seeded.ts';
import { runSkulk } from '../helpers/spawn-skulk.ts';
import { serveModels } from '../helpers/staging-node.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { openTerminal } from '../helpers/terminal.ts';
import { wants } from '../helpers/wants.ts';

const hooks = `
import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
registerHooks({ load: (url, context, next) => { appendFileSync(process.env.SKULK_TEST_LOADED, url + '\\n'); return next(url, context); } });
`;
const recording = (file: string): Record<string, string> => ({
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hooks)}`,
  SKULK_TEST_LOADED: file,
});

const filesIn = (record: string): readonly string[] =>
  readFileSync(record, 'utf8')
    .split('\n')
    .filter((url) => url.startsWith('file:'));

/** Whether a process loaded the code that draws screens, found in the files that it read. */
function hasLoadedInk(record: string): boolean {
  const files = filesIn(record);
  expect(files.some((url) => url.includes('/dist/'))).toBe(true);
  return files.some((url) => /react-reconciler|yoga-layout|Symbol\.for\("react\./.test(readFileSync(fileURLToPath(url), 'utf8')));
}

describe('the code that draws screens', () => {
  longTest('is not loaded by --version, a warm stage, a list or serve', async () => {
    const { url } = await serveModels({ 'org/m': { a: 'a' } });
    const home = await temporaryDirectory();
    const env = { SKULK_HOME: home, SKULK_STORE: url };
    expect(await runSkulk(['stage', 'org/m'], { env })).toMatchObject({ status: 0 });
    for (const [index, args] of [
      ['--version'],
      ['--help'],
      ['stage', 'org/m'],
      ['downloads'],
      ['registry'],
      ['config', 'init', '--print'],
    ].entries()) {
      const record = join(home, `loaded-${index}`);
      expect([args, await runSkulk(args, { env: { ...env, ...recording(record) } })]).toEqual([
        args,
        expect.objectContaining({ status: 0 }),
      ]);
      expect([args, hasLoadedInk(record)]).toEqual([args, false]);
    }
    // The bundler joins chunks unless a module uses top-level await, like Ink; each file costs a third of a millisecond.
    expect(filesIn(join(home, 'loaded-2')).length).toBeLessThan(70);
    const record = join(home, 'loaded-serve');
    const busy = await runSkulk(['serve', '--host', '127.0.0.1', '--port', new URL(url).port, '--api-port', '0'], {
      env: { SKULK_HOME: join(home, 'host'), ...recording(record) },
    });
    expect(busy.stderr).toContain('is taken by');
    expect(hasLoadedInk(record)).toBe(false);
  });

  usualTest('is loaded by the dashboard', wants('tmux'), async () => {
    const store = await scriptedStore();
    const home = await temporaryDirectory();
    const record = join(home, 'loaded');
    const terminal = await openTerminal({ env: { SKULK_HOME: home, SKULK_STORE: store.url, ...recording(record) } });
    await terminal.enter('skulk dashboard');
    await terminal.sees('● live');
    expect(hasLoadedInk(record)).toBe(true);
  });
});

describe('the dashboard without a terminal exits with status 2', () => {
  usualTest('when input and output are not terminals', async () => {
    const home = await temporaryDirectory();
    const record = join(home, 'loaded');
    const ended = await runSkulk(['dashboard'], { env: { SKULK_HOME: home, ...recording(record) } });
    expect(ended).toMatchObject({ status: 2, stdout: '' });
    expect(ended.stderr).toMatch(/^skulk: "skulk dashboard" needs a terminal\nhint: `skulk registry`.*\n$/);
    expect(hasLoadedInk(record)).toBe(false);
  });

  usualTest('with --json as one document', async () => {
    const ended = await runSkulk(['dashboard', '--json'], { env: { SKULK_HOME: await temporaryDirectory() } });
    expect(ended).toMatchObject({ status: 2, stdout: '' });
    expect(JSON.parse(ended.stderr)).toEqual({ error: { code: 'USAGE', message: expect.any(String), hint: expect.any(String) } });
  });

  longTest('when its output or input is redirected, JSON is requested, or the terminal has no features', wants('tmux'), async () => {
    const terminal = await openTerminal({ env: { SKULK_HOME: await temporaryDirectory(), SKULK_STORE: 'http://127.0.0.1:1' } });
    for (const [line, says] of [
      ['skulk dashboard | cat', /needs\s+a\s+terminal/],
      ['skulk dashboard < /dev/null', /needs\s+a\s+terminal/],
      ['skulk dashboard --json', /is\s+interactive/],
      ['TERM=dumb skulk dashboard', /TERM\s+is\s+dumb/],
    ] as const) {
      await terminal.enterAnew(`${line}; echo "status $?"`);
      await terminal.sees(/^status [02]$/m);
      await terminal.sees(says);
    }
    expect(await terminal.output()).not.toContain('\u001b[?1049h');
  });
});

longTest('without a store the dashboard prints the message of `skulk registry` on the normal screen', wants('tmux'), async () => {
  const home = await temporaryDirectory();
  const terminal = await openTerminal({ env: { SKULK_HOME: home, SKULK_STORE: 'not a url' } });
  await terminal.enter('skulk dashboard; echo "status $?"');
  await terminal.sees('status 2\n');
  expect(await terminal.output()).not.toContain('\u001b[?1049h');
});

longTest('a refused token ends the dashboard with a clear message', wants('tmux'), async () => {
  const store = await scriptedStore();
  store.refusal = { status: 401, body: '{"detail":"no"}' };
  const terminal = await openTerminal({
    env: { SKULK_HOME: await temporaryDirectory(), SKULK_STORE: store.url, SKULK_TOKEN: 'wrong-token' },
  });
  await terminal.enter('skulk dashboard; echo "status $?"');
  await terminal.sees('status 2\n', /refused access[\s\S]*SKULK_TOKEN/);
  expect(await terminal.modes()).toEqual({ alternate: false, cursor: true, wrap: true });
});

longTest('the dashboard waits for a store that is not running yet', wants('tmux'), async () => {
  const terminal = await openTerminal({ env: { SKULK_HOME: await temporaryDirectory(), SKULK_STORE: 'http://127.0.0.1:1' } });
  await terminal.enter('skulk dashboard');
  await terminal.sees('○ reconnecting', 'Loading from the store');
  await terminal.sees(/connection\s+refused/);
  await terminal.press('4');
  await terminal.sees('Nothing is staged on this machine.');
});

usualTest('the help lists the dashboard', () => {
  const bin = fileURLToPath(new URL('../../bin/skulk.js', import.meta.url));
  const { stdout } = spawnSync(process.execPath, [bin, 'dashboard', '--help'], { encoding: 'utf8' });
  expect(stdout).toContain('at least 60 columns and 12 rows');
});
