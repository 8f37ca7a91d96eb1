import { aliases, aliasesOf } from './aliases.ts';
import type { AnyCommand } from './definition.ts';
import { commonExits, listExits } from './exits.ts';
import { globalOptions } from './global-options.ts';
import { type ArgumentSpec, flagName, type OptionSpec } from './specs.ts';

const width = 100;

/** The help of the whole program. */
export function programHelp(commands: readonly AnyCommand[]): string {
  return [
    'skulk keeps one verified copy of every LLM model on your LAN and stages it to each machine.',
    '',
    'Usage: skulk [OPTIONS] COMMAND [ARGUMENTS]',
    ...section(
      'Commands',
      commands.map(({ name, summary }) => [name, summary]),
    ),
    ...section('Aliases', listAliases()),
    ...section('Options', describeOptions(globalOptions)),
    ...section('Exit statuses', listExits(commonExits)),
    '',
    'For details: `skulk COMMAND --help`, `man skulk-COMMAND`. The configuration file: `man 5 skulk-config`.',
  ].join('\n');
}

/** The help of one command. */
export function commandHelp(command: AnyCommand): string {
  return [
    `skulk ${command.name}: ${command.summary}`,
    '',
    `Usage: ${usageLine(command)}`,
    ...aliasLines(command.name),
    ...command.description.flatMap((paragraph) => ['', ...wrap(paragraph, width)]),
    ...section(
      'Arguments',
      Object.entries(command.arguments).map(([key, spec]) => [key.toUpperCase(), withChoices(spec)]),
    ),
    ...section('Options', describeOptions(command.options)),
    ...section('Options of every command', describeOptions(globalOptions)),
    '',
    'Examples:',
    ...command.examples.flatMap(([does, line]) => [`  # ${does}`, `  ${line}`]),
    ...section('Exit statuses', listExits(command.exits)),
  ].join('\n');
}

/** Every alias with its command. */
export const listAliases = (): readonly Row[] => [
  ...Object.entries(aliases).map(([alias, verb]): Row => [alias, `skulk ${verb}`]),
  ['version', 'skulk --version'],
];

/** `Also: skulk ls, skulk list` for a command with aliases. */
export function aliasLines(verb: string): readonly string[] {
  const names = aliasesOf(verb);
  return names.length === 0 ? [] : [`Also: ${names.map((name) => `skulk ${name}`).join(', ')}`];
}

/** `skulk stage [OPTIONS] MODEL...` */
export function usageLine({ name, arguments: specs }: AnyCommand): string {
  const words = Object.entries(specs).map(([key, spec]) => argumentWord(key, spec));
  return ['skulk', name, '[OPTIONS]', ...words].join(' ');
}

/** An option's left column: `-q, --quiet`, `--config FILE`. */
export function optionWord(key: string, { short, placeholder }: OptionSpec<unknown>): string {
  return `${short === undefined ? '' : `-${short}, `}${flagName(key)}${placeholder === undefined ? '' : ` ${placeholder}`}`;
}

/** An option's description with its choices, variable and default. */
export function optionNotes({ description, choices, required, repeatable, env, fallback }: OptionSpec<unknown>): string {
  const notes = [
    ...(choices === undefined ? [] : [`one of ${choices.join(', ')}`]),
    ...(required === true ? ['required'] : []),
    ...(repeatable === true ? ['can be given several times'] : []),
    ...(env === undefined ? [] : [`or the environment variable ${env}`]),
    ...(fallback === undefined ? [] : [`default ${fallback}`]),
  ];
  return notes.length === 0 ? description : `${description} (${notes.join('; ')})`;
}

/** An argument's description with its choices. */
export const withChoices = ({ description, choices }: ArgumentSpec<unknown>): string =>
  choices === undefined ? description : `${description} (one of ${choices.join(', ')})`;

function argumentWord(key: string, { variadic, optional, afterDashes = false }: ArgumentSpec<unknown>): string {
  const word = `${afterDashes ? '-- ' : ''}${key.toUpperCase()}${variadic ? '...' : ''}`;
  return optional ? `[${word}]` : word;
}

const describeOptions = (options: Readonly<Record<string, OptionSpec<unknown>>>): readonly Row[] =>
  Object.entries(options).map(([key, option]) => [optionWord(key, option), optionNotes(option)]);

type Row = readonly [left: string, right: string];

function section(title: string, rows: readonly Row[]): readonly string[] {
  if (rows.length === 0) return [];
  const column = Math.min(28, Math.max(...rows.map(([left]) => left.length)));
  const lines = rows.flatMap(([left, right]) => {
    const [first = '', ...more] = wrap(right, width - column - 4);
    const indented = more.map((line) => `  ${' '.repeat(column)}  ${line}`);
    return left.length > column
      ? [`  ${left}`, `  ${' '.repeat(column)}  ${first}`, ...indented]
      : [`  ${left.padEnd(column)}  ${first}`, ...indented];
  });
  return ['', `${title}:`, ...lines];
}

function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
