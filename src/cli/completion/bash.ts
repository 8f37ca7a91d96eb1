import type { CompletedFlag, CompletedVerb } from './write-completion.ts';

/** A completion script for bash 3.2 and later. */
export function writeBash(verbs: readonly CompletedVerb[], everywhere: readonly CompletedFlag[]): string {
  const withValue = [
    ...new Set([...verbs.flatMap(({ flags }) => flags), ...everywhere].filter((flag) => flag.takesValue).map(({ name }) => name)),
  ];
  return [
    '# bash completion for skulk; load it with: source <(skulk completion bash)',
    // Bash splits words at colons, so the word is read from the line, and the part up to its last colon is not replaced.
    '_skulk_words() {',
    '  local line=${COMP_LINE:0:COMP_POINT} word before= found',
    '  word=${line##*[[:space:]]}',
    '  [[ $word == --*=* ]] && word=${word#*=}',
    '  [[ $COMP_WORDBREAKS == *:* && $word == *:* ]] && before=${word%:*}:',
    '  compopt +o filenames 2>/dev/null',
    '  while IFS= read -r found; do',
    '    COMPREPLY[${#COMPREPLY[@]}]=${found#"$before"}',
    '  done < <("${COMP_WORDS[0]}" completion "$1" -- "$word" 2>/dev/null)',
    '}',
    '_skulk() {',
    '  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} verb= flags= words= list= files= given=0 dashed= index',
    '  COMPREPLY=()',
    '  for ((index = 1; index < COMP_CWORD; index++)); do',
    '    case ${COMP_WORDS[index]} in',
    `      ${withValue.join('|')}) [[ \${COMP_WORDS[index+1]} == = ]] && ((index++)); ((index++)) ;;`,
    '      --) dashed=1; break ;;',
    '      -*) ;;',
    '      :) ((given--)) ;;',
    '      *) if [[ -z $verb ]]; then verb=${COMP_WORDS[index]}; else ((given++)); fi ;;',
    '    esac',
    '  done',
    '  [[ $current == : ]] && ((given--))',
    // It also splits at "=".
    '  [[ $previous == = ]] && previous=${COMP_WORDS[COMP_CWORD-2]}',
    '  [[ $current == = ]] && current=',
    '  case $verb in',
    ...verbs.flatMap(({ name, aliases }) => (aliases.length === 0 ? [] : [`    ${aliases.join('|')}) verb=${name} ;;`])),
    '  esac',
    '  case $verb in',
    ...verbs.map(({ name, flags, words, completes, isOnlyFirst, takesFiles }) => {
      const list = completes === undefined ? '' : `; ${isOnlyFirst ? '[[ $given -gt 0 ]] || ' : ''}list=${completes}`;
      const files = takesFiles ? '; files=1' : '';
      return `    ${name}) flags='${names(flags)}'; words='${words.join(' ')}'${list}${files} ;;`;
    }),
    `    *) flags='${names(everywhere)}'; words='${verbs.map(({ name }) => name).join(' ')}' ;;`,
    '  esac',
    '  [[ -n $dashed ]] && { COMPREPLY=($(compgen -f -- "$current")); return; }',
    '  case $verb$previous in',
    ...verbs.flatMap(({ name, flags }) =>
      flags.flatMap((flag) => (flag.completes === undefined ? [] : [`    ${name}${flag.name}) _skulk_words ${flag.completes}; return ;;`])),
    ),
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
    '  elif [[ -n $list ]]; then',
    '    _skulk_words "$list"',
    '  else',
    '    [[ -n $words && -n $verb && $given -gt 0 ]] && return 0',
    '    COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '    [[ -n $files && -z $words ]] && COMPREPLY=($(compgen -f -- "$current"))',
    '  fi',
    '  return 0',
    '}',
    'complete -o filenames -F _skulk skulk',
  ].join('\n');
}

const names = (flags: readonly CompletedFlag[]): string =>
  flags.flatMap(({ name, short }) => (short === undefined ? [name] : [name, short])).join(' ');
