import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { atEnd } from './at-end.ts';
import { ownEnvironment } from './own-environment.ts';
import { within } from './waiting.ts';

const holder = fileURLToPath(new URL('../llama/hold-mapped.js', import.meta.url));

/**
 * A process that has a file mapped into its memory, like llama.cpp its weights. It needs llama-quantize, which includes the library for it.
 */
export interface MappedFile {
  readonly pid: number;
  /** The sha256 of the mapped bytes now. It fails if the process got SIGBUS. */
  readonly digest: () => Promise<string>;
}

/** Maps a file until the end of the test. */
export async function mapFile(path: string): Promise<MappedFile> {
  const child = spawn(process.execPath, [holder, path], { env: ownEnvironment({}), stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  atEnd(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { value, done } = await within('the digest of a mapped file', lines.next());
    if (done) throw new Error(`the process with the mapped file ended with ${child.signalCode ?? child.exitCode}`);
    return value;
  };
  await next();
  if (child.pid === undefined) throw new Error('the process could not be started');
  return {
    pid: child.pid,
    digest: () => {
      child.stdin.write('\n');
      return next();
    },
  };
}
