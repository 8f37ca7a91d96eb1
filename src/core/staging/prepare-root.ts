import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { isDiskFull, isSystemError, SkulkError } from '../kernel/errors.ts';
import { writeFileDurably } from '../kernel/files/durable-file.ts';
import { isThere } from '../kernel/files/is-there.ts';
import { makeDirectory } from '../kernel/files/make-directory.ts';
import type { StagingLayout } from './layout.ts';
import { isInsideStore, isStore } from './same-place.ts';

/**
 * Publishing a copy replaces what is at its path, so nothing is staged where canonical copies may be.
 * @throws SkulkError CONFIG
 */
export async function refuseStoreAsCache({ root }: StagingLayout, storePath: string): Promise<void> {
  if (!(await isStore(root)) && !(await isInsideStore(root, storePath))) return;
  throw new SkulkError('CONFIG', `node_cache_path ${root} is inside a store, so nothing is staged there`, {
    hint: 'set staging.node_cache_path to a directory outside the store',
  });
}

/**
 * A copy is published by a rename, which does not work across disks. It is better to fail before a byte is transferred.
 * @throws SkulkError CONFIG
 */
export async function requireOneDisk({ root }: StagingLayout, incoming: string): Promise<void> {
  const [own, other] = await Promise.all([stat(root), stat(incoming)]);
  if (own.dev === other.dev) return;
  throw new SkulkError('CONFIG', `${incoming} is on another file system than ${root}, so copies cannot be renamed into place`, {
    hint: 'use one disk for all of staging.node_cache_path',
  });
}

/**
 * Creates the staging root.
 * @throws SkulkError CONFIG if something else is there
 */
export async function makeRoot({ root }: StagingLayout): Promise<void> {
  try {
    await makeDirectory(root);
  } catch (error) {
    if (!isSystemError(error, 'EEXIST', 'ENOENT')) throw error;
    throw new SkulkError('CONFIG', `node_cache_path ${root} is not a directory and cannot be created`, {
      hint: 'set staging.node_cache_path to a directory',
      cause: error,
    });
  }
}

/** Marks a directory as a staging root, so that it is never taken for a store. Skips the mark on a full disk. */
export async function markRoot({ mark }: StagingLayout, now: Date): Promise<void> {
  if (await isThere(mark)) return;
  await writeFileDurably(mark, `${JSON.stringify({ id: randomUUID(), created_at: now.toISOString() })}\n`).catch((error: unknown) => {
    if (!isDiskFull(error)) throw error;
  });
}
