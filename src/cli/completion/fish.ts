import type { CompletedFlag, CompletedVerb } from './write-completion.ts';

/** A completion script for fish. */
export function writeFish(verbs: readonly CompletedVerb[], everywhere: readonly CompletedFlag[]): string {
  const all = verbs.flatMap(({ name, aliases }) => [name, ...aliases]).join(' ');
  const general = new Set(everywhere.map(({ name }) => name));
  return [
    '# fish completion for skulk; load it with: skulk completion fish | source',
    `set -l verbs ${all}`,
    ...everywhere.map((flag) => `complete -c skulk ${flagPart(flag)}`),
    ...verbs.map(
      ({ name, summary }) => `complete -c skulk -f -n "not __fish_seen_subcommand_from $verbs" -a ${name} -d ${quoted(summary)}`,
    ),
    ...verbs.flatMap(({ name, aliases, flags, words, completes, takesFiles }) => {
      const isSeen = `__fish_seen_subcommand_from ${[name, ...aliases].join(' ')}`;
      const isGiven = `-n "${isSeen}"`;
      const isProgram = 'contains -- -- (commandline -opc)';
      const isModel = takesFiles ? `-n "${isSeen}; and not ${isProgram}"` : isGiven;
      return [
        ...(takesFiles ? [] : [`complete -c skulk -f ${isGiven}`]),
        // The words after "--" are the program of `skulk run`.
        ...(takesFiles && completes !== undefined ? [`complete -c skulk -F -n "${isSeen}; and ${isProgram}"`] : []),
        ...(words.length > 0
          ? [`complete -c skulk -f -n "${isSeen}; and not __fish_seen_subcommand_from ${words.join(' ')}" -a ${quoted(words.join(' '))}`]
          : []),
        ...(completes === undefined ? [] : [`complete -c skulk -f ${isModel} -a ${quoted(ask(completes))}`]),
        ...flags.filter((flag) => !general.has(flag.name)).map((flag) => `complete -c skulk ${isGiven} ${flagPart(flag)}`),
      ];
    }),
  ].join('\n');
}

function flagPart({ name, short, description, takesValue, choices, completes }: CompletedFlag): string {
  const parts = [`-l ${name.slice(2)}`];
  if (short !== undefined) parts.push(`-s ${short.slice(1)}`);
  if (takesValue) parts.push('-r');
  if (choices.length > 0) parts.push(`-f -a ${quoted(choices.join(' '))}`);
  if (completes !== undefined) parts.push(`-f -a ${quoted(ask(completes))}`);
  return [...parts, `-d ${quoted(description)}`].join(' ');
}

const ask = (list: string): string => `(skulk completion ${list} -- (commandline -ct) 2>/dev/null)`;

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
