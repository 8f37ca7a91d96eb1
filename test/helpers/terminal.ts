import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { atEnd } from './at-end.ts';
import { delays } from './own-environment.ts';
import { smallShell } from './small-shell.ts';
import { temporaryDirectory } from './temp-directory.ts';
import { patienceMs } from './waiting.ts';

const bin = fileURLToPath(new URL('../../bin/skulk.js', import.meta.url));

/** A terminal with a shell in it, which has the command `skulk`. */
export interface Terminal {
  /** Presses keys by their tmux names: `a`, `Enter`, `C-c`. */
  readonly press: (...keys: readonly string[]) => Promise<void>;
  /** Types a text. */
  readonly type: (text: string) => Promise<void>;
  /** Pastes a text like a terminal with bracketed paste. */
  readonly paste: (text: string) => Promise<void>;
  /** Waits for the prompt of the shell. */
  readonly prompt: () => Promise<void>;
  /** Types a line for the shell. */
  readonly enter: (line: string) => Promise<void>;
  /**
   * The same on an empty screen: the text seen afterwards is from this line. A `clear` before it would leave the old screen for a while.
   */
  readonly enterAnew: (line: string) => Promise<void>;
  /** The visible text, line by line. */
  readonly screen: () => Promise<string>;
  /** The same with colours, as escape sequences. */
  readonly colors: () => Promise<string>;
  /** Waits until all of the texts are visible at once. @returns all visible text then */
  readonly sees: (...texts: readonly (string | RegExp)[]) => Promise<string>;
  /** Waits until a text is not visible any more. */
  readonly losesSight: (what: string | RegExp) => Promise<string>;
  readonly resize: (columns: number, rows: number) => Promise<void>;
  /** The state of the terminal: whether the alternate screen is shown, the cursor is visible, and long lines are wrapped. */
  readonly modes: () => Promise<{ readonly alternate: boolean; readonly cursor: boolean; readonly wrap: boolean }>;
  /** The process that the shell runs. */
  readonly child: () => Promise<number>;
  /** Every byte received since it was opened. */
  readonly output: () => Promise<string>;
  readonly close: () => Promise<void>;
}

/** The options of a terminal. */
export interface TerminalOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly columns?: number;
  readonly rows?: number;
  readonly cwd?: string;
  /** The prefix of the command, to run it elsewhere. */
  readonly prefix?: string;
}

let opened = 0;

/** Opens a terminal; it ends with the test. */
export async function openTerminal({ env = {}, columns = 80, rows = 24, cwd, prefix = '' }: TerminalOptions = {}): Promise<Terminal> {
  opened += 1;
  const socket = `skulk-test-${process.pid}-${opened}`;
  const directory = await temporaryDirectory();
  await mkdir(join(directory, 'bin'));
  await writeFile(join(directory, 'bin/skulk'), `#!/bin/sh\nexec ${prefix} ${process.execPath} ${bin} "$@"\n`);
  await chmod(join(directory, 'bin/skulk'), 0o755);
  const record = join(directory, 'output');
  const shell = smallShell();
  const tmux = (...args: readonly string[]): Promise<string> => shell.run('tmux', '-u', '-L', socket, '-f', '/dev/null', ...args);
  const own = {
    PATH: `${join(directory, 'bin')}:${process.env['PATH']}`,
    HOME: directory,
    TERM: 'tmux-256color',
    LANG: 'C.UTF-8',
    PS1: '$ ',
    ...delays,
    SKULK_NO_MDNS: '1',
    SKULK_NO_DISCOVERY: '1',
    ...(env['HF_ENDPOINT'] === undefined && { HF_HUB_OFFLINE: '1' }),
    ...env,
  };
  const words = Object.entries(own).map(([name, value]) => `${name}=${value}`);
  await tmux('new-session', '-d', '-x', String(columns), '-y', String(rows), '-c', cwd ?? directory, 'env', '-i', ...words, 'sh');
  await tmux('pipe-pane', `cat > ${record}`);
  const tell = async (format: string): Promise<string> => (await tmux('display-message', '-p', format)).trim();
  const session = await tell('#{pane_pid}');
  const isAlive = (): Promise<boolean> =>
    shell.run('pgrep', '-r', 'D,R,S,T', '-s', session).then(
      () => true,
      () => false,
    );
  const close = async (): Promise<void> => {
    await tmux('kill-server').catch(() => undefined);
    // Processes that still write would do so into directories that the test removes. A zombie does not.
    for (let rounds = 0; rounds < 100 && (await isAlive()); rounds += 1) await sleep(50);
    await shell.end();
  };
  atEnd(close);
  const screen = (): Promise<string> => tmux('capture-pane', '-p');
  const written = async (): Promise<number> => (await stat(record).catch(() => undefined))?.size ?? 0;
  // The dashboard marks the begin and the end of each frame. A terminal may show the first part of one.
  const isDrawing = async (): Promise<boolean> => {
    const output = await readFile(record, 'latin1').catch(() => '');
    return output.lastIndexOf('\x1b[?2026h') > output.lastIndexOf('\x1b[?2026l');
  };
  const wait = async (texts: readonly (string | RegExp)[], isWanted: boolean): Promise<string> => {
    const until = performance.now() + patienceMs;
    for (;;) {
      const before = await written();
      const text = await screen();
      if (texts.every((what) => (typeof what === 'string' ? text.includes(what) : what.test(text)) === isWanted) && !(await isDrawing()))
        return text;
      if (performance.now() > until) throw new Error(`${texts.join(', ')} was ${isWanted ? 'not' : 'still'} seen:\n${text}`);
      // Each look at the screen is a process, so that one is taken when something was written, and now and then.
      for (let rounds = 0; rounds < 15; rounds += 1) {
        await sleep(30);
        if ((await written()) !== before) break;
      }
    }
  };
  const prompt = async (): Promise<void> => void (await wait([/^\$\s*$(?![\s\S]*\S)/m], true));
  const enter = async (line: string): Promise<void> => void (await tmux('send-keys', '-l', `${line}\n`));
  const terminal: Terminal = {
    press: async (...keys) => {
      // A terminal sends Escape and a key right after it as one sequence.
      for (const key of keys) {
        await tmux('send-keys', key);
        if (key === 'Escape') await sleep(60);
      }
    },
    type: async (text) => void (await tmux('send-keys', '-l', text)),
    paste: async (text) => {
      await tmux('set-buffer', '--', text);
      await tmux('paste-buffer', '-p');
    },
    prompt,
    enter,
    enterAnew: async (line) => {
      await prompt();
      await tmux('send-keys', '-R');
      await enter(line);
    },
    screen,
    colors: () => tmux('capture-pane', '-p', '-e'),
    sees: (...texts) => wait(texts, true),
    losesSight: (what) => wait([what], false),
    resize: async (width, height) => void (await tmux('resize-window', '-x', String(width), '-y', String(height))),
    modes: async () => {
      const [alternate, cursor, wrap] = (await tell('#{alternate_on} #{cursor_flag} #{wrap_flag}')).split(' ').map((flag) => flag === '1');
      return { alternate: alternate === true, cursor: cursor === true, wrap: wrap === true };
    },
    child: async () => Number((await shell.run('pgrep', '-P', session)).split('\n')[0]),
    output: () => readFile(record, 'utf8'),
    close,
  };
  await terminal.prompt();
  return terminal;
}
