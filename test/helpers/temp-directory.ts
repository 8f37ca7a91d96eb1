import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEnd } from './at-end.ts';
import { refuseWhenOver } from './own-test.ts';

/** A separate directory for the running test, removed when it ends. */
export async function temporaryDirectory(): Promise<string> {
  refuseWhenOver('a temporary directory');
  const path = await mkdtemp(join(tmpdir(), 'skulk-test-'));
  // A killed process may have children that still write for a moment.
  atEnd(() => rm(path, { recursive: true, force: true, maxRetries: 10 }));
  return path;
}
