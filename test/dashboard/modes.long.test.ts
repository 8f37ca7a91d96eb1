import { join } from 'node:path';
import { expect, test } from 'vitest';
import { forWholeFile } from '../helpers/at-end.ts';
import { fleetWorld } from '../helpers/fleet-world.ts';
import { isLong } from '../helpers/seeded.ts';
import { openTerminal, type Terminal } from '../helpers/terminal.ts';
import { wants } from '../helpers/wants.ts';

/** A terminal on a machine whose store has one model; after the dashboard it shows a prompt. */
const shared = forWholeFile(async () => {
  const world = await fleetWorld();
  await world.add('org/one');
  const host = await world.hostInProcess();
  return openTerminal({ env: { SKULK_HOME: join(world.home, 'n1'), SKULK_STORE: host.url } });
});

const asUsual = { alternate: false, cursor: true, wrap: true };
const drawnOn = { alternate: true, cursor: false, wrap: false };

/** Starts on a screen with existing text. */
async function openDashboard(terminal: Terminal, before = ''): Promise<void> {
  await terminal.enterAnew('echo what was there before');
  await terminal.sees(/^what was there before/m);
  await terminal.enter(`${before}skulk dashboard`);
  await terminal.sees('org/one');
  expect(await terminal.modes()).toEqual(drawnOn);
}

/** The old screen and the cursor are restored; lines end, keys echo, and pasted text arrives unchanged. */
async function expectAsBefore(terminal: Terminal, way: string): Promise<void> {
  expect([way, await terminal.modes()]).toEqual([way, asUsual]);
  await terminal.enterAnew('stty -a');
  const modes = (await terminal.sees('icanon')).split(/\s+/);
  await terminal.prompt();
  expect(modes, way).toEqual(expect.arrayContaining(['isig', 'icanon', 'iexten', 'echo', 'opost', 'onlcr', 'icrnl']));
  await terminal.paste('echo pasted');
  await terminal.sees(/\$ echo pasted$/m);
  await terminal.press('C-u');
}

const signal =
  (name: NodeJS.Signals) =>
  async (terminal: Terminal): Promise<void> =>
    void process.kill(await terminal.child(), name);

type Way = readonly [way: string, leave: (terminal: Terminal) => Promise<void>, status: number];

const keys: readonly Way[] = [
  ['q', (terminal) => terminal.press('q'), 0],
  ['Ctrl-C in a dialog', (terminal) => terminal.press('d', 'C-c'), 0],
];
const moreKeys: readonly Way[] = [
  ['Ctrl-C', (terminal) => terminal.press('C-c'), 0],
  ['Ctrl-C while something is typed', (terminal) => terminal.press('/', 'C-c'), 0],
];
const signals: readonly Way[] = [
  ['SIGTERM', signal('SIGTERM'), 143],
  ['SIGINT from elsewhere', signal('SIGINT'), 130],
];
const moreSignals: readonly Way[] = [
  ['SIGHUP', signal('SIGHUP'), 143],
  ['SIGQUIT', signal('SIGQUIT'), 131],
];

test.each([
  ['a key that leaves the dashboard', [...keys, ...(isLong ? moreKeys : [])]],
  ['a signal that ends the dashboard', [...signals, ...(isLong ? moreSignals : [])]],
] as const)('%s restores the terminal', wants('tmux'), async (_, ways) => {
  const terminal = shared();
  for (const [way, leave, status] of ways) {
    await openDashboard(terminal);
    await leave(terminal);
    await terminal.prompt();
    expect((await terminal.screen()).split('\n'), way).toContain('what was there before');
    await terminal.enter('echo "status $?"');
    await terminal.sees(`status ${status}\n`);
    await expectAsBefore(terminal, way);
  }
});

test('a crash of the dashboard restores the terminal and prints the message', wants('tmux'), async () => {
  const crash = 'process.on("SIGUSR2",()=>{throw(new(Error)("boom"))})';
  const terminal = shared();
  await openDashboard(terminal, `NODE_OPTIONS='--import=data:text/javascript,${encodeURIComponent(crash).replaceAll("'", '%27')}' `);
  await signal('SIGUSR2')(terminal);
  await terminal.prompt();
  expect((await terminal.sees('boom (this is a bug in skulk)')).split('\n')).toContain('what was there before');
  await terminal.enter('echo "status $?"');
  await terminal.sees('status 1\n');
  await expectAsBefore(terminal, 'a crash');
});

test('Ctrl-Z suspends the dashboard and restores the terminal, and fg resumes it in a window of another size', wants('tmux'), async () => {
  const terminal = shared();
  await openDashboard(terminal);
  await terminal.press('3');
  await terminal.sees(/NODE +STATE/);
  const stops = [['Ctrl-Z', (): Promise<void> => terminal.press('C-z')] as const, ['SIGTSTP', () => signal('SIGTSTP')(terminal)] as const];
  for (const [way, stop] of stops) {
    await stop();
    await terminal.sees('Stopped');
    await terminal.prompt();
    await expectAsBefore(terminal, way);
    await terminal.resize(way === 'Ctrl-Z' ? 100 : 90, 30);
    await terminal.enterAnew('fg');
    await terminal.sees(/NODE +STATE/);
    expect([way, await terminal.modes()]).toEqual([way, drawnOn]);
    await terminal.press('1', 'Enter');
    await terminal.sees(/sha256 +[0-9a-f]{64}/);
    await terminal.press('Escape', '3');
    await terminal.sees(/NODE +STATE/);
  }
  await terminal.press('q');
  await terminal.prompt();
  await expectAsBefore(terminal, 'q after all that');
});

// This is the last test, because it closes the terminal.
test('a closed terminal ends the dashboard', wants('tmux'), async () => {
  const terminal = shared();
  await openDashboard(terminal);
  const pid = await terminal.child();
  await terminal.close();
  await expect.poll(() => isAlive(pid)).toBe(false);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
