import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { atEnd } from './at-end.ts';
import { type SmallShell, smallShell } from './small-shell.ts';
import { temporaryDirectory } from './temp-directory.ts';

/** An answer as printed by curl. */
export interface CurlAnswer {
  readonly status: number;
  /** Header values by name in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly json: unknown;
}

let opened: Promise<{ readonly shell: SmallShell; readonly output: string }> | undefined;

/** One shell for the running test. */
async function open() {
  const shell = smallShell();
  atEnd(async () => {
    opened = undefined;
    await shell.end();
  });
  return { shell, output: join(await temporaryDirectory(), 'answer') };
}

/** Runs curl like a user, one after the other; its own failures reject. */
export async function curl(...args: readonly string[]): Promise<CurlAnswer> {
  opened ??= open();
  const { shell, output } = await opened;
  const options = ['--silent', '--show-error', '--include', '--path-as-is', '--max-time', '30', '--noproxy', '*', '--output', output];
  await shell.run('curl', ...options, ...args);
  const printed = await readFile(output, 'latin1');
  const end = printed.indexOf('\r\n\r\n');
  const [first = '', ...lines] = printed.slice(0, end).split('\r\n');
  const body = Buffer.from(printed.slice(end + 4), 'latin1').toString('utf8');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    json = undefined;
  }
  return { status: Number(first.split(' ')[1]), headers, body, json };
}
