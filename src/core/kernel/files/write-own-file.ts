import { constants } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';

/*
 * Some files are written again and again under one name. If root writes in a directory of another user, that user can put a link there,
 * which must not lead root to another file. Windows has no such flag.
 */
const noFollow = constants.O_NOFOLLOW ?? 0;

/** Writes a whole file, not durably. @throws ELOOP if a link is there */
export const writeOwnFile = (path: string, content: string): Promise<void> =>
  // The types of Node know no numbers here.
  writeFile(path, content, { flag: (constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | noFollow) as unknown as string });

/** Writes over the beginning of an existing file. @throws ELOOP if a link is there */
export async function overwriteOwnFile(path: string, content: string): Promise<void> {
  const file = await open(path, constants.O_WRONLY | noFollow);
  await file.write(content, 0).finally(() => file.close());
}
