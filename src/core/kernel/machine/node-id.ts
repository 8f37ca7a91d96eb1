import { randomBytes } from 'node:crypto';
import { link, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError, SkulkError } from '../errors.ts';
import { writeFileDurably } from '../files/durable-file.ts';

/** A machine's stable id: up to 64 letters, digits, `.`, `_` and `-`. */
export type NodeId = string & { readonly brand: 'NodeId' };

const pattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Validates node ids from outside. */
export const isNodeId = (value: unknown): value is NodeId => typeof value === 'string' && pattern.test(value);

/** @throws SkulkError BAD_REQUEST */
export function parseNodeId(text: string): NodeId {
  if (isNodeId(text)) return text;
  throw new SkulkError('BAD_REQUEST', `${JSON.stringify(text.slice(0, 80))} is not a node id`, { hint: '`skulk nodes` lists the nodes' });
}

/**
 * This machine's stable id: `SKULK_NODE_ID`, else the file `node-id` in `SKULK_HOME`, else undefined.
 * @throws SkulkError CONFIG for an invalid id
 */
export async function readNodeId(skulkHome: string, fromEnv: string | undefined): Promise<NodeId | undefined> {
  if (fromEnv !== undefined && fromEnv !== '') return checked(fromEnv, 'SKULK_NODE_ID');
  const file = join(skulkHome, 'node-id');
  try {
    return checked((await readFile(file, 'utf8')).trim(), file);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return undefined;
    throw error;
  }
}

/** This machine's stable id. Creates and saves it in `SKULK_HOME` if it does not exist. If two processes create one, both get the first. */
export async function ensureNodeId(skulkHome: string, fromEnv: string | undefined): Promise<NodeId> {
  const known = await readNodeId(skulkHome, fromEnv);
  if (known !== undefined) return known;
  const made = `node-${randomBytes(8).toString('hex')}` as NodeId;
  const draft = join(skulkHome, `.node-id.${made}`);
  await writeFileDurably(draft, `${made}\n`);
  try {
    await link(draft, join(skulkHome, 'node-id'));
    return made;
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return (await readNodeId(skulkHome, undefined)) ?? made;
    // Some file systems have no hard links.
    await writeFileDurably(join(skulkHome, 'node-id'), `${made}\n`);
    return made;
  } finally {
    await rm(draft, { force: true });
  }
}

function checked(id: string, from: string): NodeId {
  if (isNodeId(id)) return id;
  throw new SkulkError('CONFIG', `${from} contains ${JSON.stringify(id.slice(0, 80))}, which is not a valid node id`, {
    hint: 'use at most 64 letters, digits, ".", "_" and "-"',
  });
}
