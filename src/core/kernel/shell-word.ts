/** A word as POSIX shells read it, for commands that people paste: in single quotes where a character of it means something to a shell. */
export const shellWord = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
