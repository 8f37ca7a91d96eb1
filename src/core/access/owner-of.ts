import { lstat } from 'node:fs/promises';

/** The uid of whoever put a file there, of a link that of the link; undefined when it cannot be looked at. */
export const ownerOf = (path: string): Promise<number | undefined> =>
  lstat(path).then(
    ({ uid }) => uid,
    () => undefined,
  );
