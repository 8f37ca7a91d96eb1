import { stat } from 'node:fs/promises';
import type { Deps } from '../../connect/deps.ts';
import { type Check, ok, warning } from './check.ts';

/** Whether other users of this machine can read the tokens in the configuration file. */
export async function checkSecrets({ config }: Deps): Promise<Check> {
  const { file, settings } = config;
  const isIn = [settings.token, settings.hubToken].some(({ value, origin }) => {
    return value !== undefined && origin.from === 'file' && origin.file === file;
  });
  if (file === undefined) return ok('secrets', 'there is no configuration file that could contain a token');
  if (!isIn) return ok('secrets', 'the configuration file contains no token');
  const found = await stat(file).catch(() => undefined);
  if (found === undefined || (found.mode & 0o077) === 0) return ok('secrets', `only its owner can read ${file}`);
  return warning('secrets', `other users of this machine can read the token in ${file}`, `chmod 600 ${file}`);
}
