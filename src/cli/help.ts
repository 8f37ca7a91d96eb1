import { aliases, aliasesOf } from './aliases.ts';
import type { AnyCommand } from './definition.ts';
import { commonExits, listExits } from './exits.ts';
import { globalOptions } from './global-options.ts';
import { type ArgumentSpec, flagName, type OptionSpec } from './specs.ts';

const usualWidth = 100;
/** A narrower terminal breaks the lines itself. */
const minWidth = 40;
/** The widest left column of a list. */
const maxLeft = 28;

/**
 * The help of the whole program.
 * @param columns the width of the terminal; undefined if it does not go to one
 */
export function programHelp(commands: readonly AnyCommand[], columns?: number): string {
  const { list, line } = layout(columns);
  return [
    ...line('skulk keeps one verified copy of every LLM model on your LAN and stages it to each machine.'),
    '',
    'Usage: skulk [OPTIONS] COMMAND [ARGUMENTS]',
    ...list(
      'Commands',
      commands.map(({ name, summary }) => [name, summary]),
    ),
    ...list('Aliases', listAliases()),
    ...list('Options', describeOptions(globalOptions)),
    ...list('Exit statuses', listExits(commonExits)),
    '',
    ...line('For details: `skulk COMMAND --help`, `man skulk-COMMAND`. The configuration file: `man 5 skulk-config`.'),
  ].join('\n');
}

/**
 * The help of one command. The lines of its examples stay whole, because they are copied into a shell.
 * @param columns the width of the terminal; undefined if it does not go to one
 */
export function commandHelp(command: AnyCommand, columns?: number): string {
  const { list, line, paragraph } = layout(columns);
  return [
    ...line(`skulk ${command.name}: ${command.summary}`),
    '',
    ...line(`Usage: ${usageLine(command)}`, '       '),
    ...aliasLines(command.name).flatMap((text) => line(text, '      ')),
    ...command.description.flatMap((text) => ['', ...paragraph(text)]),
    ...list(
      'Arguments',
      Object.entries(command.arguments).map(([key, spec]) => [key.toUpperCase(), withChoices(spec)]),
    ),
    ...list('Options', describeOptions(command.options)),
    ...list('Options of every command', describeOptions(globalOptions)),
    '',
    'Examples:',
    ...command.examples.flatMap(([does, example]) => [...line(`  # ${does}`, '  # '), `  ${example}`]),
    ...list('Exit statuses', listExits(command.exits)),
  ].join('\n');
}

/** Breaks texts for a terminal. Elsewhere, only paragraphs and lists are broken, at the usual width. */
function layout(columns: number | undefined) {
  const width = Math.min(usualWidth, Math.max(minWidth, columns || usualWidth));
  return {
    list: (title: string, rows: readonly Row[]): readonly string[] => section(title, rows, width),
    paragraph: (text: string): readonly string[] => wrap(text, width),
    line: (text: string, indent = ''): readonly string[] => (columns === undefined ? [text] : wrap(text, width, indent)),
  };
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

/** An argument's description with its choices and default. */
export const withChoices = ({ description, choices, fallback }: ArgumentSpec<unknown>): string =>
  choices === undefined
    ? description
    : `${description} (one of ${choices.join(', ')}${fallback === undefined ? '' : `; default ${fallback}`})`;

function argumentWord(key: string, { variadic, optional, afterDashes = false }: ArgumentSpec<unknown>): string {
  const word = `${afterDashes ? '-- ' : ''}${key.toUpperCase()}${variadic ? '...' : ''}`;
  return optional ? `[${word}]` : word;
}

const describeOptions = (options: Readonly<Record<string, OptionSpec<unknown>>>): readonly Row[] =>
  Object.entries(options).map(([key, option]) => [optionWord(key, option), optionNotes(option)]);

type Row = readonly [left: string, right: string];

function section(title: string, rows: readonly Row[], width: number): readonly string[] {
  if (rows.length === 0) return [];
  // On a narrow terminal, the texts get at least half of it.
  const column = Math.min(maxLeft, Math.floor(width / 2) - 4, Math.max(...rows.map(([left]) => left.length)));
  const lines = rows.flatMap(([left, right]) => {
    const [first = '', ...more] = wrap(right, width - column - 4);
    const indented = more.map((line) => `  ${' '.repeat(column)}  ${line}`);
    return left.length > column
      ? [`  ${left}`, `  ${' '.repeat(column)}  ${first}`, ...indented]
      : [`  ${left.padEnd(column)}  ${first}`, ...indented];
  });
  return ['', `${title}:`, ...lines];
}

/** @param indent begins every line but the first */
function wrap(text: string, columns: number, indent = ''): readonly string[] {
  const lines: string[] = [];
  let line: string | undefined;
  for (const word of text.split(' ')) {
    if (line !== undefined && line.trim() !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = `${indent}${word}`;
    } else line = line === undefined ? word : `${line} ${word}`;
  }
  return [...lines, line ?? ''];
}
