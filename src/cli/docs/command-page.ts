import type { AnyCommand } from '../definition.ts';
import { commonExits, listExits } from '../exits.ts';
import { globalOptions } from '../global-options.ts';
import { aliasLines, listAliases, optionNotes, optionWord, usageLine, withChoices } from '../help.ts';
import type { OptionSpec } from '../specs.ts';
import { block, entry, escapeRoff, heading, paragraphs, title } from './roff.ts';

/** The man page of one command. */
export function commandPage(command: AnyCommand): string {
  const { name, summary, description, examples, exits } = command;
  const args = Object.entries(command.arguments);
  return lines(
    title(`skulk-${name}`, 1),
    heading('name'),
    escapeRoff(`skulk-${name} - ${summary}`),
    heading('synopsis'),
    escapeRoff(usageLine(command)),
    heading('description'),
    ...paragraphs([...description, ...aliasLines(name).map((line) => `${line}.`)]),
    ...(args.length > 0 ? [heading('arguments'), ...args.flatMap(([key, spec]) => entry(key.toUpperCase(), withChoices(spec)))] : []),
    ...(Object.keys(command.options).length > 0 ? [heading('options'), ...optionEntries(command.options)] : []),
    heading('options of every command'),
    ...optionEntries(globalOptions),
    heading('exit status'),
    ...listExits(exits).flatMap(([status, means]) => entry(status, means)),
    heading('examples'),
    ...examples.flatMap(([does, line]) => ['.PP', escapeRoff(does), ...block([line])]),
    heading('see also'),
    escapeRoff('skulk(1), skulk-config(5)'),
  );
}

/** The man page of the program. */
export function programPage(commands: readonly AnyCommand[]): string {
  return lines(
    title('skulk', 1),
    heading('name'),
    escapeRoff('skulk - one verified copy of every LLM model on the LAN, staged to each machine'),
    heading('synopsis'),
    escapeRoff('skulk [OPTIONS] COMMAND [ARGUMENTS]'),
    heading('description'),
    ...paragraphs([
      'One machine, the store host, keeps the canonical copy of each model. Every other machine makes a verified local copy right before a model is loaded; programs get a plain path.',
      'Results go to standard output, everything else to standard error. With --json a result is one JSON document, and the last line of standard error after a failure is {"error":{"code","message","hint"}}.',
    ]),
    heading('commands'),
    ...commands.flatMap(({ name, summary }) => entry(`skulk ${name}`, summary)),
    heading('aliases'),
    ...listAliases().flatMap(([alias, command]) => entry(`skulk ${alias}`, command)),
    heading('options'),
    ...optionEntries(globalOptions),
    heading('exit status'),
    ...listExits(commonExits).flatMap(([status, means]) => entry(status, means)),
    heading('see also'),
    escapeRoff([...commands.map(({ name }) => `skulk-${name}(1)`), 'skulk-config(5)'].join(', ')),
  );
}

const optionEntries = (options: Readonly<Record<string, OptionSpec<unknown>>>): readonly string[] =>
  Object.entries(options).flatMap(([key, option]) => entry(optionWord(key, option), optionNotes(option)));

const lines = (...all: readonly string[]): string => `${all.join('\n')}\n`;
