import type { CompletedFlag, CompletedVerb } from './write-completion.ts';

/** A completion script for zsh; it can be sourced, or put into a directory of `fpath`. */
export function writeZsh(verbs: readonly CompletedVerb[], everywhere: readonly CompletedFlag[]): string {
  return [
    '#compdef skulk',
    '# zsh completion for skulk; load it with: source <(skulk completion zsh)',
    '_skulk_words() {',
    '  local -a found',
    '  found=("${(@f)$(skulk completion $1 -- "${(Q)PREFIX}" 2>/dev/null)}")',
    // `skulk completion` ignores case, so zsh must too.
    "  (( ${#found} == 1 && ${#found[1]} == 0 )) || compadd -M 'm:{[:lower:][:upper:]}={[:upper:][:lower:]}' -a found",
    '}',
    '_skulk() {',
    '  local context state state_descr line curcontext="$curcontext"',
    '  typeset -A opt_args',
    '  _arguments -C \\',
    ...everywhere.map((flag) => `    ${spec(flag)} \\`),
    "    '1:command:->command' \\",
    "    '*::argument:->argument'",
    '  case $state in',
    '    command)',
    '      local -a commands',
    '      commands=(',
    ...verbs.map(({ name, summary }) => `        ${quoted(`${name}:${summary}`)}`),
    '      )',
    '      _describe command commands',
    '      ;;',
    '    argument)',
    '      case $line[1] in',
    ...verbs.flatMap(({ name, aliases, flags, words, completes, isOnlyFirst, takesFiles }) =>
      [
        `        ${[name, ...aliases].join('|')})`,
        '          _arguments \\',
        ...flags.map((flag) => `            ${spec(flag)} \\`),
        words.length > 0 ? `            ${quoted(`1:word:(${words.join(' ')})`)} \\` : '',
        completes !== undefined && isOnlyFirst ? `            '1:model: _skulk_words ${completes}' \\` : '',
        completes !== undefined && !isOnlyFirst
          ? `            '*:model: _skulk_words ${completes}'`
          : `            ${takesFiles ? "'*:file:_files'" : "'*: :'"}`,
        '          ;;',
      ].filter((text) => text !== ''),
    ),
    '      esac',
    '      ;;',
    '  esac',
    '}',
    'if [[ $funcstack[1] == _skulk ]]; then _skulk "$@"; else compdef _skulk skulk; fi',
  ].join('\n');
}

function spec({ name, description, takesValue, choices, completes }: CompletedFlag): string {
  const text = description.replaceAll(/[[\]:\\]/g, '\\$&');
  const takes = takesValue ? `:value:${actionOf(choices, completes)}` : '';
  return quoted(`${name}${takesValue ? '=' : ''}[${text}]${takes}`);
}

const actionOf = (choices: readonly string[], completes: string | undefined): string =>
  choices.length > 0 ? `(${choices.join(' ')})` : completes === undefined ? '_files' : ` _skulk_words ${completes}`;

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
