import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileDurably } from '../kernel/durable-file.ts';
import { isSystemError, SkulkError } from '../kernel/errors.ts';

const pattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/**
 * This machine's stable id: `SKULK_NODE_ID`, else the file `node-id` in `SKULK_HOME`, else undefined.
 * @throws SkulkError CONFIG for an id that is not one
 */
export async function readNodeId(skulkHome: string, fromEnv: string | undefined): Promise<string | undefined> {
  if (fromEnv !== undefined && fromEnv !== '') return checked(fromEnv, 'SKULK_NODE_ID');
  const file = join(skulkHome, 'node-id');
  try {
    return checked((await readFile(file, 'utf8')).trim(), file);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return undefined;
    throw error;
  }
}

/** This machine's stable id, made and kept in `SKULK_HOME` if there is none yet. */
export async function ensureNodeId(skulkHome: string, fromEnv: string | undefined): Promise<string> {
  const known = await readNodeId(skulkHome, fromEnv);
  if (known !== undefined) return known;
  const made = `node-${randomBytes(8).toString('hex')}`;
  await writeFileDurably(join(skulkHome, 'node-id'), `${made}\n`);
  return made;
}

function checked(id: string, from: string): string {
  if (pattern.test(id)) return id;
  throw new SkulkError('CONFIG', `${from} holds ${JSON.stringify(id.slice(0, 80))}, which is not a node id`, {
    hint: 'use letters, digits, ".", "_" and "-", 64 at most',
  });
}
