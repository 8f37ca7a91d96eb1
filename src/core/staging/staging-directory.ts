import { join } from 'node:path';
import { formatNames, listForeignNames, type OwnPlaces, whyProtected } from '../kernel/files/foreign-directory.ts';
import { isThere } from '../kernel/files/is-there.ts';
import { copyRecordName, lastUsedName } from './layout.ts';
import { isStore } from './same-place.ts';

/**
 * Says why a directory should not become the staging directory, as a continuation of its path in a message. Undefined if it can: it is a
 * staging directory already, a store whose models are used in place, missing, or empty except for copies and system files.
 */
export async function whyNotStagingDirectory(path: string, places: OwnPlaces): Promise<string | undefined> {
  const never = await whyProtected(path, places);
  if (never !== undefined) return never;
  if ((await isStore(path)) || (await isThere(join(path, '.skulk', 'v1')))) return undefined;
  const isCopy = async (name: string): Promise<boolean> =>
    (await isThere(join(path, name, copyRecordName))) || (await isThere(join(path, name, lastUsedName)));
  const foreign = await listForeignNames(path, isCopy);
  return foreign.length === 0 ? undefined : `is not a staging directory and not empty: it contains ${formatNames(foreign)}`;
}
