import type { CompletedFlag, CompletedVerb } from './write-completion.ts';

/** A completion script for bash 3.2 and later. */
export function writeBash(verbs: readonly CompletedVerb[], everywhere: readonly CompletedFlag[]): string {
  const withValue = [
    ...new Set([...verbs.flatMap(({ flags }) => flags), ...everywhere].filter((flag) => flag.takesValue).map(({ name }) => name)),
  ];
  return [
    '# bash completion for skulk; load it with: source <(skulk completion bash)',
    '_skulk() {',
    '  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} verb= flags= words= index',
    '  COMPREPLY=()',
    '  for ((index = 1; index < COMP_CWORD; index++)); do',
    '    case ${COMP_WORDS[index]} in',
    `      ${withValue.join('|')}) ((index++)) ;;`,
    '      -*) ;;',
    '      *) verb=${COMP_WORDS[index]}; break ;;',
    '    esac',
    '  done',
    '  case $verb in',
    ...verbs.map(({ name, flags, words }) => `    ${name}) flags='${names(flags)}'; words='${words.join(' ')}' ;;`),
    `    *) flags='${names(everywhere)}'; words='${verbs.map(({ name }) => name).join(' ')}' ;;`,
    '  esac',
    '  case $verb$previous in',
    ...verbs.flatMap(({ name, flags }) =>
      flags
        .filter(({ choices }) => choices.length > 0)
        .map((flag) => `    ${name}${flag.name}) COMPREPLY=($(compgen -W '${flag.choices.join(' ')}' -- "$current")); return ;;`),
    ),
    '  esac',
    '  case $previous in',
    `    ${withValue.join('|')}) COMPREPLY=($(compgen -f -- "$current")); return ;;`,
    '  esac',
    '  if [[ $current == -* ]]; then',
    '    COMPREPLY=($(compgen -W "$flags" -- "$current"))',
    '  else',
    '    COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '    [[ -n $verb && -z $words ]] && COMPREPLY=($(compgen -f -- "$current"))',
    '  fi',
    '  return 0',
    '}',
    'complete -o filenames -F _skulk skulk',
  ].join('\n');
}

const names = (flags: readonly CompletedFlag[]): string =>
  flags.flatMap(({ name, short }) => (short === undefined ? [name] : [name, short])).join(' ');
