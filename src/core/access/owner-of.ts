import { lstat } from 'node:fs/promises';

/** The uid of a file's owner (for a link, that of the link itself); undefined if it is unreadable. */
export const ownerOf = (path: string): Promise<number | undefined> =>
  lstat(path).then(
    ({ uid }) => uid,
    () => undefined,
  );
