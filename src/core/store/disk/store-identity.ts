import { randomBytes, randomUUID } from 'node:crypto';
import { link, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import { syncDirectory, writeFileDurably } from '../../kernel/files/durable-file.ts';
import type { StoreLayout } from '../layout.ts';

/** Identifies a store, wherever its disk is mounted. */
export interface StoreIdentity {
  readonly id: string;
  /** Increases when another machine takes over the store's role. */
  readonly epoch: number;
  /** ISO 8601. */
  readonly created_at: string;
  /** The store that this one was promoted instead of; absent if it was not promoted. */
  readonly promoted?: Promotion;
}

/** A person's decision that a store takes the place of another one. */
export interface Promotion {
  /** The URL of the other store. */
  readonly instead_of: string;
  /** ISO 8601. */
  readonly at: string;
}

/** Reads a store's identity from its `store.json`; undefined if there is none, `damaged` if the file is unusable. */
export async function readStoreIdentity({ identity }: Pick<StoreLayout, 'identity'>): Promise<StoreIdentity | 'damaged' | undefined> {
  const text = await readFile(identity, 'utf8').catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    if (isSystemError(error, 'EISDIR')) return '';
    throw error;
  });
  return text === undefined ? undefined : (parse(text) ?? 'damaged');
}

function parse(text: string): StoreIdentity | undefined {
  try {
    const { id, epoch, created_at, promoted } = (JSON.parse(text) ?? {}) as Partial<Record<keyof StoreIdentity, unknown>>;
    if (typeof id !== 'string' || !/^[0-9A-Za-z-]{8,64}$/.test(id)) return undefined;
    return {
      id,
      epoch: Number.isSafeInteger(epoch) ? (epoch as number) : 1,
      created_at: typeof created_at === 'string' ? created_at : new Date(0).toISOString(),
      ...parsePromotion(promoted),
    };
  } catch {
    return undefined;
  }
}

function parsePromotion(value: unknown): { promoted?: Promotion } {
  const { instead_of, at } = Object(value) as { readonly instead_of?: unknown; readonly at?: unknown };
  if (typeof instead_of !== 'string' || !URL.canParse(instead_of)) return {};
  return { promoted: { instead_of, at: typeof at === 'string' ? at : new Date(0).toISOString() } };
}

/** Replaces a store's identity in one step. The caller holds the store's lock. @throws the disk's errors; the old one stays then */
export const writeStoreIdentity = (layout: Pick<StoreLayout, 'identity'>, identity: StoreIdentity): Promise<void> =>
  writeFileDurably(layout.identity, `${JSON.stringify(identity)}\n`);

/**
 * Creates a store's identity, unless it exists. If two processes do so at once, both get the same identity.
 * @param knownId the id to write if the file is damaged: the remembered id of this store
 */
export async function ensureStoreIdentity(
  layout: Pick<StoreLayout, 'identity'>,
  { now, knownId }: { readonly now: Date; readonly knownId?: string | undefined },
): Promise<StoreIdentity> {
  const path = layout.identity;
  for (let attempt = 1; attempt <= 10; attempt += 1) {
    const present = await readStoreIdentity(layout);
    if (present === 'damaged') await rename(path, `${path}.damaged-${now.toISOString().replaceAll(/[:.]/g, '-')}`).catch(ignoreMissing);
    else if (present !== undefined) return present;
    const id = present === 'damaged' ? (knownId ?? randomUUID()) : randomUUID();
    const draft = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
    await writeFileDurably(draft, `${JSON.stringify({ id, epoch: 1, created_at: now.toISOString() } satisfies StoreIdentity)}\n`);
    try {
      await link(draft, path).catch(async (error: unknown) => {
        if (isSystemError(error, 'EEXIST')) return;
        // A disk without hard links, such as exFAT. The store's lock keeps other writers away.
        await rename(draft, path);
      });
    } finally {
      await rm(draft, { force: true });
    }
    await syncDirectory(dirname(path));
  }
  throw new SkulkError('CONFLICT', `another program keeps writing ${path}`, { hint: 'find that program and stop it' });
}

function ignoreMissing(error: unknown): void {
  if (!isSystemError(error, 'ENOENT')) throw error;
}
