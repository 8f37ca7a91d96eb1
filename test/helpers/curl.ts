import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** An answer as printed by curl. */
export interface CurlAnswer {
  readonly status: number;
  /** Header values by name in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly json: unknown;
}

/** Runs curl like a user; its own failures reject. */
export async function curl(...args: readonly string[]): Promise<CurlAnswer> {
  const options = ['--silent', '--show-error', '--include', '--path-as-is', '--max-time', '30', '--noproxy', '*'];
  const { stdout } = await promisify(execFile)('curl', [...options, ...args], { encoding: 'latin1', maxBuffer: 64 * 1024 * 1024 });
  const end = stdout.indexOf('\r\n\r\n');
  const [first = '', ...lines] = stdout.slice(0, end).split('\r\n');
  const body = Buffer.from(stdout.slice(end + 4), 'latin1').toString('utf8');
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
