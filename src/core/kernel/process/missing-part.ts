import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isSystemError } from '../errors.ts';
import { ownDirectory } from './own-process.ts';

/** The file of this installation that an error says cannot be imported, because `dist` was replaced, or copied incompletely. */
export function findMissingPart(error: unknown): string | undefined {
  if (!(error instanceof Error) || !isSystemError(error, 'ERR_MODULE_NOT_FOUND')) return undefined;
  if (!('url' in error) || typeof error.url !== 'string') return undefined;
  const built = pathToFileURL(join(ownDirectory(), 'dist')).href;
  return error.url.startsWith(`${built}/`) ? fileURLToPath(error.url) : undefined;
}

/** What a running server says of an error that it did not expect; details of an unknown one stay in the log. */
export const explainUnexpected = (error: unknown): { readonly message: string; readonly hint: string } =>
  findMissingPart(error) === undefined
    ? { message: 'internal error in skulk', hint: 'see the log of `skulk serve`, and please report it' }
    : {
        message: 'skulk was upgraded or rebuilt while this server runs',
        hint: 'restart `skulk serve` on that machine: `skulk service restart`',
      };
