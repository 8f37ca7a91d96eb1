import type { CompletedFlag, CompletedVerb } from './write-completion.ts';

/** A completion script for zsh; it works sourced and from a directory of `fpath`. */
export function writeZsh(verbs: readonly CompletedVerb[], everywhere: readonly CompletedFlag[]): string {
  return [
    '#compdef skulk',
    '# zsh completion for skulk; load it with: source <(skulk completion zsh)',
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
    ...verbs.flatMap(({ name, flags, words }) =>
      [
        `        ${name})`,
        '          _arguments \\',
        ...flags.map((flag) => `            ${spec(flag)} \\`),
        words.length > 0 ? `            ${quoted(`1:word:(${words.join(' ')})`)} \\` : '',
        "            '*:file:_files'",
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

function spec({ name, description, takesValue, choices }: CompletedFlag): string {
  const text = description.replaceAll(/[[\]:\\]/g, '\\$&');
  const takes = takesValue ? `:value:${choices.length > 0 ? `(${choices.join(' ')})` : '_files'}` : '';
  return quoted(`${name}${takesValue ? '=' : ''}[${text}]${takes}`);
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
