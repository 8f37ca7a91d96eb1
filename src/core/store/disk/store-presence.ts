import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import { forbidMaking } from '../../kernel/files/make-directory.ts';
import { storeLayout } from '../layout.ts';
import { readStoreIdentity } from './store-identity.ts';

/** Whether a store that was opened is still at its place: its disk may be unmounted while it is served. */
export interface StorePresence extends Disposable {
  /** Looks now. Throws STORE_UNREACHABLE while the store is not there. */
  require(): Promise<void>;
  /** The same, but what was seen a moment ago will do. */
  requireLately(): Promise<void>;
  /** Has something told whenever the store goes away or comes back. */
  onChange(listener: (isAway: boolean) => void): void;
}

/** So long what was seen counts where an answer is checked again when it fails, in milliseconds. */
const momentMs = 250;

/**
 * Watches over a store that is there. As long as this is not disposed of, nothing makes its directory anew.
 * @param id the store's id, which it has wherever its disk is mounted; undefined when there was no room for one
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
    // The same disk looks different after it was mounted anew.
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
      for (const tell of listeners) tell(isAway);
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

/** What tells a directory from another that has its path later; undefined when it cannot be reached. */
async function looksLike(path: string): Promise<string | undefined> {
  try {
    const { dev, ino, birthtimeNs } = await stat(path, { bigint: true });
    return `${dev}:${ino}:${birthtimeNs}`;
  } catch (error) {
    // It says nothing of the disk that this process has no more descriptors.
    if (isSystemError(error, 'EMFILE', 'ENFILE', 'ENOMEM')) throw error;
    return undefined;
  }
}
