import { access, constants } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import { explainSystemError } from '../../kernel/explain-system-error.ts';
import { otherOwnerOf, ownerOf } from '../../kernel/machine/owner-of.ts';
import type { FoundPlace } from '../../protocol/models/adoption.ts';
import type { AdoptRequest } from '../contract.ts';
import { isDirectoryInside } from '../disk/inside-store.ts';
import { incomingPath, type StoreLayout } from '../layout.ts';
import { requirePlace } from '../own-model.ts';
import type { StoreContext } from '../store-context.ts';
import { chooseStorePath, isUntouched, refuseLookalikes } from './adopt-checks.ts';

/**
 * The checks of an adoption that need no content, so that gigabytes are not copied for a refusal. The adoption repeats them under the
 * store's lock.
 * @throws SkulkError CONFLICT, PERMISSION
 */
export async function findPlace(
  { modelId, incoming }: Pick<AdoptRequest, 'modelId' | 'incoming'>,
  context: StoreContext,
): Promise<FoundPlace> {
  const { layout, registry, records } = context;
  const { entries } = await registry();
  refuseLookalikes(modelId, entries.keys());
  const present = entries.get(modelId);
  const isThere = present !== undefined && (await isDirectoryInside(layout.root, present.store_path));
  // The same content may be there already. Then nothing is written.
  if (incoming !== undefined || !isThere) {
    await chooseStorePath({ modelId, incoming: incoming ?? '' }, present, { root: layout.root, entries });
    await requirePlace(layout.root, modelId, context);
    await requireWritable(layout);
  }
  if (incoming !== undefined) await requireMovable(incomingPath(layout, incoming, modelId));
  if (!isThere) return { entry: null, is_untouched: false };
  const known = await records.read(modelId).catch(() => undefined);
  return {
    entry: present,
    is_untouched: known !== undefined && (await isUntouched(known, join(layout.root, present.store_path))),
  };
}

/** The directories that every change writes to; those that do not exist yet are created in the others. */
async function requireWritable({ root, manifests, incoming }: StoreLayout): Promise<void> {
  for (const path of [root, dirname(manifests), manifests, incoming])
    if (!(await isWritable(path)))
      throw new SkulkError('PERMISSION', `cannot write to the store's directory ${path}: permission denied`, {
        hint: await hintOfStore(path),
      });
}

/** The files will be moved out of that directory. */
async function requireMovable(place: string): Promise<void> {
  for (const path of [place, join(place, 'files')])
    if (!(await isWritable(path)))
      throw new SkulkError('PERMISSION', `the store cannot move files out of ${path}, which another user created: permission denied`, {
        hint: 'run the command as the user that runs `skulk serve`, or with a common group and `umask 002`',
      });
}

async function hintOfStore(path: string): Promise<string> {
  const owner = await otherOwnerOf(path);
  if (owner === undefined) return 'check its mode; the user that changes the store must be able to write there';
  return `it belongs to ${owner}: run the command, or \`skulk serve\`, as that user, with sudo -u ${owner} -H`;
}

/**
 * Whether this user may put files into `incoming/`, or create it, and the store's user may take them out. Root may write anywhere, but the
 * server of another user cannot move what root has made.
 */
export async function canBringIn({ root, incoming }: StoreLayout): Promise<boolean> {
  let path = incoming;
  while (path !== root && (await ownerOf(path)) === undefined) path = dirname(path);
  const owner = process.geteuid?.() === 0 ? await ownerOf(path) : undefined;
  return (owner === undefined || owner === 0) && (await isWritable(path));
}

async function isWritable(path: string): Promise<boolean> {
  try {
    await access(path, constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return true;
    if (isSystemError(error, 'EACCES', 'EPERM')) return false;
    throw explainSystemError(error, `cannot write to ${path}`);
  }
}
