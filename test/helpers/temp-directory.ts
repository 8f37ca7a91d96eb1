import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEnd } from './at-end.ts';
import { refuseWhenOver } from './own-test.ts';

/** A directory of its own for the running test, removed when it ends. */
export async function temporaryDirectory(): Promise<string> {
  refuseWhenOver('a temporary directory');
  const path = await mkdtemp(join(tmpdir(), 'skulk-test-'));
  // A process that was killed may have children that write for a moment longer.
  atEnd(() => rm(path, { recursive: true, force: true, maxRetries: 10 }));
  return path;
}
