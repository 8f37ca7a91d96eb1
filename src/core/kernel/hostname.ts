/** A hostname for comparison: lower case, without a trailing dot and without `.local`. */
export const normalizeHostname = (name: string): string =>
  name
    .toLowerCase()
    .replace(/\.$/, '')
    .replace(/\.local$/, '');

/** Whether two hostnames mean one machine: without case, without a trailing dot, `kite3` is `kite3.local`. */
export const sameHostname = (a: string, b: string): boolean => normalizeHostname(a) === normalizeHostname(b);
