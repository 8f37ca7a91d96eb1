import type { Deps } from '../../connect/deps.ts';
import { isThere } from '../../kernel/files/is-there.ts';
import { formatBytes } from '../../kernel/units.ts';
import { readStoreIdentity } from '../../store/disk/store-identity.ts';
import { storeLayout } from '../../store/layout.ts';
import type { LocalStore } from '../../store/local-store.ts';
import { diskRoom } from '../../transfer/disk-room.ts';
import { type Check, ok, problem, problemOf, warning } from './check.ts';

/** On the host: checks that the disk is mounted and has space, and that the registry is correct. */
export async function checkStorePath({ config }: Deps, disk: LocalStore, isUsable: () => Promise<void>): Promise<readonly Check[]> {
  const root = config.settings.storePath.value;
  try {
    await isUsable();
  } catch (error) {
    return [problemOf('store path', error)];
  }
  if (!(await isThere(root))) return [ok('store path', `${root} does not exist yet; \`skulk serve\` creates it`)];
  const room = await describeFreeSpace(root);
  const path = room.isLow
    ? warning(
        'store path',
        `${root} has ${room.text}`,
        'delete unneeded models (`skulk registry` lists them), or move the store to a larger disk',
      )
    : ok('store path', `${root} is writable and has ${room.text}${await describeIdentity(root)}`);
  try {
    const entries = await disk.listModels();
    const missing = await disk.listLost();
    if (missing.length === 0) return [path, ok('models', onDisk(entries.length))];
    return [
      path,
      problem(
        'models',
        `the registry lists ${missing.join(', ')}, but its directory is missing`,
        'restore the directory, or remove the model with `skulk delete`',
        'INTEGRITY',
      ),
    ];
  } catch (error) {
    return [path, problemOf('models', error)];
  }
}

async function describeIdentity(root: string): Promise<string> {
  const identity = await readStoreIdentity(storeLayout(root));
  if (identity === 'damaged') return '; the file with its id is corrupt, and the next `skulk serve` repairs it';
  return identity === undefined ? '' : `; its id is ${identity.id}`;
}

/** Describes the space on a path's disk. Under 5 % or 10 GiB is low. */
export async function describeFreeSpace(path: string): Promise<{ readonly text: string; readonly isLow: boolean }> {
  const { free, total } = await diskRoom(path);
  return { text: `${formatBytes(free)} free of ${formatBytes(total)}`, isLow: free < total / 20 || free < 10 * 1024 ** 3 };
}

const onDisk = (models: number): string =>
  models === 0
    ? 'the registry has no models'
    : `${models === 1 ? 'the model of the registry is' : `all ${models} models of the registry are`} on the disk`;
