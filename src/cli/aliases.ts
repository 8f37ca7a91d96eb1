/** Names that users know from other programs, with their commands. `version` is handled without a command. */
export const aliases: Readonly<Record<string, string>> = {
  ls: 'registry',
  list: 'registry',
  pull: 'download',
  ps: 'staging',
  rm: 'delete',
  status: 'health',
};

/** The command for a word, or the word itself. */
export const verbOf = (word: string): string => (Object.hasOwn(aliases, word) ? (aliases[word] ?? word) : word);

/** Other names of a command. */
export const aliasesOf = (verb: string): readonly string[] => Object.keys(aliases).filter((alias) => aliases[alias] === verb);
