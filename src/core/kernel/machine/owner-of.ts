import { lstat, readFile } from 'node:fs/promises';

/** The uid of a file's owner (for a link, that of the link itself); undefined if it is unreadable. */
export const ownerOf = (path: string): Promise<number | undefined> =>
  lstat(path).then(
    ({ uid }) => uid,
    () => undefined,
  );

/** The name of a user for `sudo -u`; `#1001` if the system's list has none. */
export async function nameOfUser(uid: number | undefined): Promise<string | undefined> {
  if (uid === undefined) return undefined;
  const list = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const name = list
    .split('\n')
    .map((line) => line.split(':'))
    .find((fields) => fields[2] === String(uid))?.[0];
  return name ?? `#${uid}`;
}

/** The name of the owner of a file, if that is another user; undefined if it is this user, or unknown. */
export async function otherOwnerOf(path: string): Promise<string | undefined> {
  const [owner, self] = [await ownerOf(path), process.geteuid?.()];
  return self === undefined || owner === self ? undefined : nameOfUser(owner);
}
