import { lstat, stat } from 'node:fs/promises';

/** Whether a path leads to something. False for a link to nothing, and if it cannot be read. */
export const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Whether a name is taken, also by a link to nothing. False if it cannot be read. */
export const isTaken = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

/** Whether a path leads to a directory. False if it cannot be read. */
export const isDirectory = (path: string): Promise<boolean> =>
  stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
