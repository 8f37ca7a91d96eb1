import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import { forbidMaking } from '../../kernel/files/make-directory.ts';
import { storeLayout } from '../layout.ts';
import { readStoreIdentity } from './store-identity.ts';

/** Watches whether an opened store is still at its path: its disk may be unmounted while the store is served. */
export interface StorePresence extends Disposable {
  /** Checks now. Throws STORE_UNREACHABLE while the store is not there. */
  require(): Promise<void>;
  /** Like `require`, but a recent check counts. */
  requireLately(): Promise<void>;
  /** Calls the listener when the store disappears or comes back. */
  onChange(listener: (isAway: boolean) => void): void;
}

/** How long a check counts if a failed answer is checked again, in milliseconds. */
const momentMs = 250;

/**
 * Watches an existing store. Until it is disposed, nothing recreates the store's directory.
 * @param id the store's id, which is independent of the mount point; undefined if there was no space to save one
 */
export async function watchPresence(root: string, { id }: { readonly id: string | undefined }): Promise<StorePresence> {
  const layout = storeLayout(root);
  const own = join(root, '.skulk', 'v1');
  let seen = await looksLike(own);
  let seenAt = performance.now();
  let isAway = false;
  const listeners: ((isAway: boolean) => void)[] = [];
  const absent = (): SkulkError =>
    new SkulkError('STORE_UNREACHABLE', `the store is no longer at ${root}: its disk may not be mounted`, {
      hint: 'mount the disk on the store host; serving resumes automatically',
    });
  const isThere = async (): Promise<boolean> => {
    const now = await looksLike(own);
    if (now === undefined) return false;
    if (now === seen) return true;
    // The same disk has a different device number after it was mounted again.
    const identity = await readStoreIdentity(layout).catch(() => undefined);
    if (id === undefined || identity === undefined || identity === 'damaged' || identity.id !== id) return false;
    seen = now;
    return true;
  };
  const require = async (): Promise<void> => {
    const found = await isThere();
    seenAt = performance.now();
    if (isAway === found) {
      isAway = !found;
      for (const notify of listeners) notify(isAway);
    }
    if (!found) throw absent();
  };
  return {
    require,
    requireLately: async () => {
      if (isAway || performance.now() - seenAt > momentMs) await require();
    },
    onChange: (listener) => void listeners.push(listener),
    [Symbol.dispose]: forbidMaking(own, absent),
  };
}

/** Distinguishes a directory from a later one at the same path; undefined if it cannot be reached. */
async function looksLike(path: string): Promise<string | undefined> {
  try {
    const { dev, ino, birthtimeNs } = await stat(path, { bigint: true });
    return `${dev}:${ino}:${birthtimeNs}`;
  } catch (error) {
    // This process has run out of descriptors, which is not a problem of the disk.
    if (isSystemError(error, 'EMFILE', 'ENFILE', 'ENOMEM')) throw error;
    return undefined;
  }
}
