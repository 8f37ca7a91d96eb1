import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type ScriptedStore, scriptedStore, someDownload, someEntry, someHealth, someNode } from '../helpers/scripted-store.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { openTerminal, type Terminal, type TerminalOptions } from '../helpers/terminal.ts';
import { wants } from '../helpers/wants.ts';

async function openOn(store: ScriptedStore, { env, ...options }: TerminalOptions = {}): Promise<Terminal> {
  const home = await temporaryDirectory();
  return openTerminal({ ...options, env: { SKULK_HOME: join(home, 'n1'), SKULK_STORE: store.url, ...env } });
}

const esc = '\u001b';
const codes = new RegExp(`${esc}\\[[\\d;]*m`, 'g');

const names = Array.from({ length: 60 }, (_, index) => `org/model-${String(index).padStart(2, '0')}`);

test('the dashboard shows what fits into a window of any size, and reports a window that is too small', wants('tmux'), async () => {
  const store = await scriptedStore();
  store.tell('registry', { entries: names.map((name) => someEntry(name, { tags: ['vision'], quantization: '4bit', file_count: 12 })) });
  store.tell('nodes', { nodes: [someNode('n2', { hostname: 'gpu-box', copies: [copyOf(names[0])], staged_models: 1 })] });
  const terminal = await openOn(store);
  await terminal.enter('skulk dashboard');
  const usual = await terminal.sees('org/model-00');
  expect(usual).toContain('q quit');
  expect(usual).not.toContain('FILES');
  expect(usual.trimEnd().split('\n')).toHaveLength(24);

  await terminal.press('End');
  expect(await terminal.sees(/^› org\/model-59/m)).not.toContain('org/model-00');
  await terminal.press('PageUp', 'PageUp', 'Home');
  await terminal.sees(/^› org\/model-00/m);

  await terminal.resize(200, 50);
  const wide = await terminal.sees('FILES');
  expect(wide).toMatch(/QUANT +SIZE +FILES +ADDED +STAGED +TAGS/);
  expect(wide).toContain('org/model-42');
  expect(wide.trimEnd().split('\n')).toHaveLength(50);
  await terminal.press('3');
  await terminal.sees('ADDRESS', /gpu-box +● listening +now .* 192\.168\.1\.20 +n2/);

  await terminal.resize(50, 10);
  const small = await terminal.sees('The window is too small: 50x10.');
  expect(small).toContain('It must be at least 60x12; q quits.');
  await terminal.resize(60, 12);
  await terminal.sees(/gpu-box +● listening/);
  await terminal.press('1', 'd');
  await terminal.sees('Delete org/model-00?');
  await terminal.press('Escape', '?');
  await terminal.sees('─ Keys', 'any key shows more');
  await terminal.press('x', 'x', 'x', 'x');
  await terminal.sees('any key closes this', 'quit; Ctrl-Z and fg work');
  await terminal.press('x');
  await terminal.resize(80, 24);
  await terminal.sees('org/model-10');
  await terminal.press('q');
  await terminal.prompt();
});

const copyOf = (model_id = ''): object => ({
  model_id,
  size_bytes: 1,
  last_used: new Date().toISOString(),
  in_use: false,
  over_budget: false,
});

test.each([
  ['NO_COLOR', { NO_COLOR: '1' }, 'skulk dashboard'],
  ['--no-color', {}, 'skulk --no-color dashboard'],
])('with %s there is no colour, and the cursor is still visible', wants('tmux'), async (_, env, line) => {
  const store = await scriptedStore();
  store.tell('registry', { entries: names.slice(0, 3).map((name) => someEntry(name)) });
  store.tell('downloads', { downloads: [someDownload('org/a'), someDownload('org/b', { status: 'failed', error: 'no' })] });
  const terminal = await openOn(store, { env });
  await terminal.enter(line);
  await terminal.sees('org/model-00');
  await terminal.press('j');
  await terminal.sees(/^› org\/model-01/m);
  await terminal.press('d');
  await terminal.sees('Delete');
  await terminal.press('Escape', '2');
  await terminal.sees('failed');
  // No colour and no reverse; bold is allowed (SGR 1, 2 and 22).
  const painted = (await terminal.output()).split('skulk')[2] ?? '';
  expect(painted).toContain('org/model-00');
  const allowed = ['', '0', '1', '2', '22'].map((code) => `${esc}[${code}m`);
  expect([...new Set(painted.match(codes))].filter((code) => !allowed.includes(code))).toEqual([]);
});

test('the dashboard has colours on a terminal with colours', wants('tmux'), async () => {
  const store = await scriptedStore();
  store.tell('registry', { entries: [someEntry('org/one')] });
  const terminal = await openOn(store);
  await terminal.enter('skulk dashboard');
  await terminal.sees('org/one');
  expect(await terminal.colors()).toMatch(new RegExp(`${esc}\\[(?:0;)?7m.*org/one`));
  expect(await terminal.colors()).toMatch(new RegExp(`${esc}\\[32m.*● live`));
});

test('texts from outside cannot send control sequences to the terminal or break its lines', wants('tmux'), async () => {
  const evil = '\u001b[2J\u001b]0;owned\u0007\u009b31m\u202eevil\r\n\u0000';
  const wideName = '日本語のホスト名👩‍👩‍👧🇩🇪⚠️'.repeat(4);
  const store = await scriptedStore();
  store.tell('registry', {
    entries: [someEntry('org/good', { quantization: evil, family: evil }), someEntry(`org/${evil}`), someEntry('../up')],
  });
  store.tell('health', { ...someHealth, hostname: evil, storePath: evil });
  store.tell('downloads', {
    downloads: [someDownload('org/bad', { status: 'failed', error: evil, hint: evil, gguf_file: evil, commit: evil })],
  });
  store.tell('nodes', {
    nodes: [
      someNode('n1', { hostname: evil, version: evil, address: evil, last_seen: evil }),
      someNode('n2', { hostname: wideName, version: 'x' }),
      someNode(evil),
    ],
  });
  store.tell('orders', {
    orders: [
      {
        order_id: 'a'.repeat(24),
        seq: 1,
        kind: 'evict',
        model_id: 'org/good',
        force: false,
        given_at: evil,
        nodes: [{ node: 'n1', hostname: evil, status: 'deferred', freed_bytes: 0, reason: evil }],
      },
    ],
  });
  const terminal = await openOn(store, { columns: 100 });
  await terminal.enter('skulk dashboard');
  await terminal.sees('org/good', '1 Store 1');
  await terminal.press('2');
  await terminal.sees(/org\/bad +failed/);
  await terminal.press('Enter');
  await terminal.sees(/error +/);
  await terminal.press('Escape', '3');
  const nodes = await terminal.sees(/日本語/);
  // Text is cut by columns, not by characters: the next column stays in its place.
  const rows = nodes.split('\n').filter((line) => line.includes('● listening'));
  expect(rows).toHaveLength(2);
  expect(rows.join('\n')).toContain('…');
  expect(nodes.split('\n').filter((line) => line.trim() !== '')).toHaveLength(7 + 1);
  await terminal.press('Enter');
  await terminal.sees(/pending +delete org\/good/);
  const output = await terminal.output();
  for (const text of ['\u001b[2J\u001b]0', '\u001b]0;owned', '\u009b31m', '\u202e', '\u0000']) expect(output).not.toContain(text);
});

test('many changes of a store are drawn at most ten times a second, without clearing the screen', wants('tmux'), async () => {
  const store = await scriptedStore();
  store.tell('downloads', { downloads: [someDownload('org/a', { bytes_done: 0 })] });
  const terminal = await openOn(store);
  await terminal.enter('skulk dashboard');
  await terminal.sees('2 Downloads 1');
  await terminal.press('2');
  await terminal.sees('org/a');
  const before = (await terminal.output()).length;
  const began = performance.now();
  for (let step = 1; step <= 400; step += 1) {
    store.tell('downloads', { downloads: [someDownload('org/a', { bytes_done: step * 10 * 1024 ** 2, bytes_per_second: step * 1024 })] });
    await sleep(4);
    // A dashboard without processor time draws nothing meanwhile.
    if (step % 100 === 0) await terminal.sees(` ${Math.floor((step * 100) / 409.6)}% `);
  }
  const painted = (await terminal.output()).slice(before);
  // The time is taken after the output, so that a test that waits for the processor in between does not count frames of that time.
  const seconds = (performance.now() - began) / 1000;
  const frames = painted.split('\u001b[?2026h').length - 1;
  expect(frames).toBeGreaterThan(3);
  expect(frames).toBeLessThan(12 * seconds + 3);
  // A frame writes the changes, in one piece for the terminal.
  expect(painted).not.toMatch(new RegExp(`${esc}\\[[23]?J`));
  expect(painted.length / frames).toBeLessThan(400);
});
