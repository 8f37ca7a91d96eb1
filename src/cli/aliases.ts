/** Names that people know from other programs, and the verbs that they stand for. `version` is answered without a verb. */
export const aliases: Readonly<Record<string, string>> = {
  ls: 'registry',
  list: 'registry',
  pull: 'download',
  ps: 'staging',
  rm: 'delete',
  status: 'health',
};

/** The verb that a word names, or the word itself. */
export const verbOf = (word: string): string => (Object.hasOwn(aliases, word) ? (aliases[word] ?? word) : word);

/** Other names of a verb. */
export const aliasesOf = (verb: string): readonly string[] => Object.keys(aliases).filter((alias) => aliases[alias] === verb);
