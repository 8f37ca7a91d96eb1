import { expect, test } from 'vitest';
import { scriptedStore, someDownload, someNode, someOptimization } from '../helpers/scripted-store.ts';
import { runSkulk, startSkulk } from '../helpers/spawn-skulk.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { openTerminal } from '../helpers/terminal.ts';
import { wants } from '../helpers/wants.ts';

/** The lines that a process has written by now. */
const linesOf = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '');

test('downloads --watch is drawn below the prompt and stays there after q', wants('tmux'), async () => {
  const store = await scriptedStore();
  const terminal = await openTerminal({ env: { SKULK_HOME: await temporaryDirectory(), SKULK_STORE: store.url } });
  await terminal.enter('echo before; skulk downloads --watch; echo "status $?"');
  await terminal.sees('no downloads; `skulk download MODEL` starts one', 'before');
  expect(await terminal.modes()).toEqual({ alternate: false, cursor: false, wrap: false });
  store.tell('downloads', {
    downloads: [someDownload('org/a'), someDownload('org/b', { status: 'pending', bytes_total: 0, bytes_done: 0 })],
  });
  await terminal.sees(/org\/a +downloading +━+─+ +25% +50\.0 MiB\/s +1m00s/, /org\/b +waiting +waiting in the queue/);
  store.hangUp();
  await terminal.sees('● live');
  store.tell('downloads', { downloads: [someDownload('org/a', { status: 'complete', bytes_done: 4 * 1024 ** 3 })] });
  await terminal.sees(/org\/a +complete/);
  await terminal.press('q');
  const after = await terminal.sees('status 0\n');
  expect(after).toContain('before');
  expect(after).toMatch(/org\/a +complete/);
  expect(after).not.toContain('org/b');
  expect(await terminal.modes()).toEqual({ alternate: false, cursor: true, wrap: true });
});

test('optimizations --watch is drawn in place, and q leaves the last state on the screen', wants('tmux'), async () => {
  const store = await scriptedStore();
  const terminal = await openTerminal({ env: { SKULK_HOME: await temporaryDirectory(), SKULK_STORE: store.url } });
  await terminal.enter('skulk optimizations --watch; echo "status $?"');
  await terminal.sees('no optimizations; `skulk optimize MODEL` starts one');
  const waiting = someOptimization('org/b', { status: 'pending', progress: 0, bytes_done: 0, message: 'waiting for other optimizations' });
  store.tell('optimizations', { optimizations: [someOptimization('org/a'), waiting] });
  await terminal.sees(/org\/a-Q4_K_M-GGUF +converting +━+─+ +25% +llama/, /org\/b-Q4_K_M-GGUF +waiting +in the queue/);
  const ended = [
    someOptimization('org/a', { status: 'complete', progress: 1, achievedBpw: 4.83 }),
    someOptimization('org/b', { status: 'failed', error_code: 'CANCELLED', error: 'it was cancelled' }),
  ];
  store.tell('optimizations', { optimizations: ended });
  await terminal.sees(/org\/a-Q4_K_M-GGUF +complete +4\.83 bits per weight/);
  await terminal.press('q');
  await terminal.sees('status 0\n', /org\/b-Q4_K_M-GGUF +cancelled/);
});

test(
  'nodes --watch shows machines that appear and disappear, cuts a long list to the window, and ends with Ctrl-C',
  wants('tmux'),
  async () => {
    const store = await scriptedStore();
    store.tell('nodes', { nodes: Array.from({ length: 40 }, (_, index) => someNode(`box-${index}`)) });
    const terminal = await openTerminal({ env: { SKULK_HOME: await temporaryDirectory(), SKULK_STORE: store.url } });
    await terminal.enter('skulk nodes --watch; echo "status $?"');
    const first = await terminal.sees(/and 21 more/);
    expect(first).toMatch(/NODE +STATE/);
    expect(first).toContain('not shown on a narrow terminal: ADDRESS, ID (--json shows all)');
    store.tell('nodes', {
      nodes: [someNode('box-1'), someNode('laptop', { agent: false, connected: false, last_seen: '2026-01-01T00:00:00Z' })],
    });
    const two = await terminal.sees('○ no agent');
    expect(two).toMatch(/box-1 +● listening/);
    expect(two).not.toContain('box-2');
    await terminal.press('C-c');
    await terminal.sees('status 0\n');
  },
);

test('--watch without a terminal prints the result again after each change, with --json as one line each', async () => {
  const store = await scriptedStore();
  const env = { SKULK_HOME: await temporaryDirectory(), SKULK_STORE: store.url };
  const json = startSkulk(['downloads', '--watch', '--json'], { env });
  const swarm = {
    model_id: 'org/big',
    digest: 'a'.repeat(64),
    members: 3,
    seeders: 1,
    host_sent_bytes: 2048,
    began_at: '',
    ended_at: null,
  };
  store.answers.set('/store/swarm', { swarms: [swarm] });
  const text = startSkulk(['nodes', '--watch'], { env });
  await expect.poll(() => linesOf(json.stdout()).length).toBe(1);
  store.tell('downloads', { downloads: [someDownload('org/a')] });
  await expect.poll(() => linesOf(json.stdout()).length).toBe(2);
  // Unchanged lines are not printed again.
  const same = { downloads: [someDownload('org/a', { updated_at: '' })] };
  store.tell('downloads', same);
  store.tell('downloads', same);
  store.tell('nodes', { nodes: [someNode('box-1')] });
  await expect.poll(() => text.stdout()).toMatch(/^NODE +HOSTNAME .*\nbox-1 +box-1 .*\n3 nodes share org\/big/m);
  expect(linesOf(json.stdout()).map((line) => JSON.parse(line))).toEqual([
    { downloads: [] },
    { downloads: [expect.objectContaining({ modelId: 'org/a', bytes_total: 4 * 1024 ** 3, status: 'downloading' })] },
    { downloads: [expect.objectContaining({ modelId: 'org/a', updated_at: '' })] },
  ]);
  // An unreachable store is reported once, and the command waits for it.
  store.refusal = { status: 500, body: '{}' };
  store.hangUp();
  await expect.poll(() => json.stderr()).toContain('skulk: warning: ');
  store.refusal = undefined;
  store.tell('downloads', { downloads: [] });
  await expect.poll(() => linesOf(json.stdout()).length).toBe(4);
  expect(linesOf(json.stderr()).filter((line) => line.startsWith('skulk: warning:'))).toHaveLength(1);
  json.child.kill('SIGTERM');
  text.child.kill('SIGINT');
  expect(await json.exited).toMatchObject({ status: 143 });
  expect(await text.exited).toMatchObject({ status: 130 });
});

test('optimizations --watch with model names in a pipe prints only these', async () => {
  const store = await scriptedStore();
  store.tell('optimizations', { optimizations: [someOptimization('org/a'), someOptimization('org/b')] });
  const env = { SKULK_HOME: await temporaryDirectory(), SKULK_STORE: store.url };
  const watching = startSkulk(['optimizations', 'org/b', '--watch', '--json'], { env });
  await expect.poll(() => linesOf(watching.stdout()).length).toBeGreaterThan(0);
  expect(JSON.parse(linesOf(watching.stdout()).at(-1) ?? '')).toMatchObject({ optimizations: [{ modelId: 'org/b' }] });
  watching.child.kill('SIGTERM');
  expect(await watching.exited).toMatchObject({ status: 143 });
});

test('a store without events is polled, and an unreachable store at the start is a failure', async () => {
  const store = await scriptedStore();
  store.refusal = { status: 404, body: '404: Not Found', type: 'text/plain' };
  const env = { SKULK_HOME: await temporaryDirectory(), SKULK_STORE: store.url };
  const watching = startSkulk(['downloads', '--watch', '--json'], { env });
  await expect.poll(() => linesOf(watching.stdout()).length).toBe(1);
  store.answers.set('/downloads', [someDownload('org/a')]);
  await expect.poll(() => linesOf(watching.stdout()).length).toBe(2);
  watching.child.kill('SIGTERM');
  await watching.exited;
  const ended = await runSkulk(['nodes', '--watch', '--json'], { env: { ...env, SKULK_STORE: 'http://127.0.0.1:1' } });
  expect(ended).toMatchObject({ status: 4, stdout: '' });
  expect(JSON.parse(ended.stderr)).toMatchObject({ error: { code: 'STORE_UNREACHABLE' } });
  expect(await runSkulk(['nodes', '--watch', '--forget', 'x'], { env })).toMatchObject({ status: 2, stdout: '' });
});
