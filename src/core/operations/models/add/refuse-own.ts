import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { adminKeyFile } from '../../../access/admin-key.ts';
import type { Deps } from '../../../connect/deps.ts';
import { SkulkError } from '../../../kernel/errors.ts';
import { isInside } from '../../../staging/same-place.ts';
import type { ScannedFile } from '../../../store/ingest/scan-directory.ts';

/** Rejects skulk's own data and copies, because moving them would destroy them. */
export async function refuseOwnDirectories(source: string, { skulkHome, settings }: Deps['config']): Promise<void> {
  for (const [what, path] of [
    ['SKULK_HOME', skulkHome],
    ['the staging directory', settings.nodeCachePath.value],
  ] as const)
    if (await isInside(path, source))
      throw new SkulkError('USAGE', `${source} contains ${what}, so it is not moved`, { hint: 'use the directory of one model' });
}

/**
 * The files with the secrets of this machine must not become files that everyone may read. Throws USAGE; a link to one is the same file.
 */
export async function refuseSecrets(source: string, files: readonly ScannedFile[], { skulkHome, settings }: Deps['config']): Promise<void> {
  const ofTokens = [settings.token, settings.hubToken].flatMap(({ origin }) =>
    origin.from === 'file' ? [{ path: origin.file, what: 'a token of this machine' }] : [],
  );
  for (const { path, what } of [{ path: adminKeyFile(skulkHome), what: 'the key of this machine' }, ...ofTokens]) {
    const secret = await stat(path).catch(() => undefined);
    for (const { absolute } of files.filter(({ size }) => size === secret?.size)) {
      const { dev, ino } = await stat(absolute);
      if (dev === secret?.dev && ino === secret.ino)
        throw new SkulkError('USAGE', `${source} contains ${what}: ${absolute}`, {
          hint: 'use the directory of one model; everyone who may read the store could read this file',
        });
    }
  }
}

/** The store's own files cannot be added to it, or moved out of it. Throws USAGE. */
export async function refuseOwnFiles(source: string, root: string, move: boolean): Promise<void> {
  if (await isInside(root, source))
    throw new SkulkError('USAGE', `${source} contains the store itself`, { hint: 'use the directory of one model' });
  if (await isInside(source, join(root, '.skulk')))
    throw new SkulkError('USAGE', `${source} is among the store's own files`, { hint: 'use the directory of one model' });
  if (move && (await isInside(source, root)))
    throw new SkulkError('USAGE', `${source} is inside the store, so it is not moved`, {
      hint: 'omit --move to add it as a second model',
    });
}
