import type { AnyCommand } from '../definition.ts';
import { commonExits, listExits } from '../exits.ts';
import { globalOptions } from '../global-options.ts';
import { aliasLines, listAliases, optionNotes, optionWord, usageLine, withChoices } from '../help.ts';
import type { OptionSpec } from '../specs.ts';
import { fenced, plain, table } from './markdown.ts';

/** `docs/cli.md`: every command, generated from the same definitions as the help and the man pages. */
export function cliPage(commands: readonly AnyCommand[]): string {
  return `${[
    '# Commands',
    '',
    'This page is generated from the definitions of the commands (`npm run docs`). `skulk COMMAND --help` and `man skulk-COMMAND` show the same text.',
    '',
    'Results go to standard output, everything else to standard error. With `--json` a result is one JSON document. After a failure',
    'standard output is empty, and with `--json` the last line of standard error is `{"error":{"code","message","hint"}}`.',
    '',
    ...table(
      ['command', 'what it does'],
      commands.map(({ name, summary }) => [`[\`skulk ${name}\`](#skulk-${name})`, plain(summary)]),
    ),
    '',
    '## Aliases',
    '',
    ...table(
      ['alias', 'command'],
      listAliases().map(([alias, command]) => [`\`skulk ${alias}\``, `\`${command}\``]),
    ),
    '',
    '## Options of every command',
    '',
    ...optionTable(globalOptions),
    '',
    '## Exit statuses',
    '',
    ...exitTable([...commonExits, 'not-executable', 'no-program', 'program']),
    ...commands.flatMap(describeCommand),
  ].join('\n')}\n`;
}

function describeCommand(command: AnyCommand): readonly string[] {
  const { name, description, examples, exits } = command;
  const args = Object.entries(command.arguments);
  return [
    '',
    `## skulk ${name}`,
    '',
    ...fenced('sh', [usageLine(command)]),
    ...aliasLines(name).flatMap((line) => ['', plain(`${line}.`)]),
    ...description.flatMap((paragraph) => ['', plain(paragraph)]),
    ...(args.length === 0
      ? []
      : [
          '',
          ...table(
            ['argument', 'what it is'],
            args.map(([key, spec]) => [`\`${key.toUpperCase()}\``, plain(withChoices(spec))]),
          ),
        ]),
    ...(Object.keys(command.options).length === 0 ? [] : ['', ...optionTable(command.options)]),
    '',
    ...fenced(
      'sh',
      examples.flatMap(([does, line], index) => [...(index === 0 ? [] : ['']), `# ${does}`, line]),
    ),
    '',
    `[Exit statuses](#exit-statuses): ${listExits(exits)
      .map(([status]) => status)
      .join(', ')}.`,
  ];
}

const optionTable = (options: Readonly<Record<string, OptionSpec<unknown>>>): readonly string[] =>
  table(
    ['option', 'what it does'],
    Object.entries(options).map(([key, option]) => [`\`${optionWord(key, option)}\``, plain(optionNotes(option))]),
  );

const exitTable = (exits: Parameters<typeof listExits>[0]): readonly string[] =>
  table(
    ['status', 'meaning'],
    listExits(exits).map(([status, means]) => [status, means]),
  );
