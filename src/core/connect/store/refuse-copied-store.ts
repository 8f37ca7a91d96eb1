import { join } from 'node:path';
import { SkulkError } from '../../kernel/errors.ts';
import { statIfPresent } from '../../kernel/files/if-present.ts';
import { describeLockHolder } from '../../kernel/process/lock.ts';
import { highestClaim, type LockHolder } from '../../kernel/process/lock-claims.ts';
import { describePlace } from '../../kernel/process/process-identity.ts';
import { storeLayout } from '../../store/layout.ts';

/**
 * Rejects a copy of a directory that is served at another path of this machine: the copied lock names that server, so a command for the
 * copy would change the original. If only one of the two paths is visible from here, nothing is known, and nothing is rejected.
 * @throws SkulkError CONFLICT
 */
export async function refuseCopiedStore(root: string, holder: LockHolder): Promise<void> {
  const { root: original, token } = holder;
  if (original === undefined || original === root || describePlace(holder) !== undefined) return;
  const { lock } = storeLayout(root);
  const theirs = storeLayout(original).lock;
  if ((await highestClaim(theirs).catch(() => undefined))?.holder?.token !== token) return;
  // Over NFS, one directory has another device number, but the same inode.
  const [here, there] = await Promise.all([lock, theirs].map(statIfPresent));
  if (here === undefined || there === undefined || here.ino === there.ino) return;
  throw new SkulkError('CONFLICT', `${root} is a copy of the store ${original}, which ${describeLockHolder(holder)} serves`, {
    hint: `to use that store, set store_path to ${original}; to use the copy as another store, remove ${lock} and ${join(root, '.skulk', 'v1', 'store.json')} from it`,
  });
}
