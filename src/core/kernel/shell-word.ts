/** Quotes a word for a POSIX shell, for commands that users paste: in single quotes if it contains a special character. */
export const shellWord = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
