import { Command, CommanderError, Option } from 'commander';
import { SkulkError } from '../core/kernel/errors.ts';
import { nearest } from '../core/kernel/nearest.ts';
import type { AnyCommand, GivenTexts } from './definition.ts';
import { type GlobalValues, globalFlagsWithValue, globalOptions } from './global-options.ts';
import { type ArgumentSpec, flagName, type OptionSpec } from './specs.ts';

/** A parsed command line. */
export interface Parsed {
  readonly globals: GlobalValues;
  /** The command's own texts, whose parser names the flag in an error. */
  readonly given: GivenTexts;
}

/**
 * Parses the words of a command line without the command's name.
 * @throws SkulkError USAGE
 */
export function parseArguments(command: AnyCommand, words: readonly string[]): Parsed {
  const options: Readonly<Record<string, OptionSpec<unknown>>> = { ...globalOptions, ...command.options };
  const parser = new Command(command.name)
    .helpOption(false)
    .exitOverride()
    .showSuggestionAfterError(false)
    .configureOutput({ writeErr: () => undefined });
  const given: Record<string, string[]> = {};
  for (const [key, option] of Object.entries(options)) {
    parser.addOption(toCommander(key, option));
    parser.on(`option:${flagName(key).slice(2)}`, (text?: string) => {
      given[key] = [...(given[key] ?? []), text ?? ''];
    });
  }
  for (const [key, { variadic }] of Object.entries(command.arguments)) parser.argument(variadic ? `[${key}...]` : `[${key}]`);
  parser.allowExcessArguments(true);
  try {
    parser.parse([...words], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) throw explain(error, command, options);
    throw error;
  }
  for (const [key, { required = false }] of Object.entries(options)) if (required) given[key] ??= [];
  const dashes = words.indexOf('--');
  const beginsWithDashes = dashes >= 0 && parser.args.length === words.length - dashes - 1;
  assignArguments(command, parser.args, given, beginsWithDashes);
  checkTexts({ ...options, ...command.arguments }, given, command);
  return { globals: readGlobals(given), given };
}

function toCommander(key: string, { short, placeholder, description }: OptionSpec<unknown>): Option {
  const long = placeholder === undefined ? flagName(key) : `${flagName(key)} <${placeholder}>`;
  return new Option(short === undefined ? long : `-${short}, ${long}`, description);
}

/** @param beginsWithDashes whether `--` is before every argument */
function assignArguments(command: AnyCommand, words: readonly string[], given: Record<string, string[]>, beginsWithDashes: boolean): void {
  const left = [...words];
  for (const [key, { variadic, optional, afterDashes = false, mayBeEmpty = false }] of Object.entries(command.arguments)) {
    const taken = left.splice(0, variadic ? left.length : 1);
    if (taken.length === 0 && !optional) {
      const { description = '', choices } = command.arguments[key] ?? {};
      const oneOf = choices === undefined ? '' : ` (one of ${choices.join(', ')})`;
      // A program alone after `--` was taken for the first argument.
      const before = beginsWithDashes ? Object.fromEntries(Object.keys(given).map((name) => [name, [name.toUpperCase()]])) : given;
      const line = afterDashes ? `use: ${lineWithProgram(command, before)}` : undefined;
      throw usage(`"skulk ${command.name}" needs ${key.toUpperCase()}: ${description}${oneOf}`, command, line);
    }
    if (afterDashes && taken[0] === '--')
      throw usage(`"skulk ${command.name}" takes -- only once`, command, `use: ${lineWithProgram(command, given)}`);
    if (taken.includes('') && !mayBeEmpty && (!afterDashes || taken[0] === ''))
      throw usage(`${key.toUpperCase()} of "skulk ${command.name}" is empty`, command);
    given[key] = taken;
  }
  const [surplus] = left;
  if (surplus === undefined) return;
  // A wrong action explains the words after it.
  checkTexts(command.arguments, given, command);
  throw usage(`"skulk ${command.name}" does not take ${JSON.stringify(surplus)}`, command, command.ifTooMany);
}

/** The form of a command line that ends with a program, with the arguments that are known. */
const lineWithProgram = (command: AnyCommand, given: GivenTexts): string =>
  ['skulk', command.name, ...Object.keys(command.arguments).flatMap((key) => given[key] ?? []), '-- PROGRAM ARGUMENTS'].join(' ');

/** Parses every text once, so that an error names the flag. */
function checkTexts(
  specs: Readonly<Record<string, OptionSpec<unknown> | ArgumentSpec<unknown>>>,
  given: GivenTexts,
  command: AnyCommand,
): void {
  for (const [key, texts] of Object.entries(given)) {
    try {
      specs[key]?.read(texts);
    } catch (error) {
      if (!(error instanceof SkulkError) || error.code !== 'USAGE') throw error;
      const choices = command.arguments[key]?.choices;
      if (choices !== undefined) throw noSuchChoice(key, texts[0] ?? '', choices, command);
      const name = Object.hasOwn(command.arguments, key) ? key.toUpperCase() : flagName(key);
      throw new SkulkError('USAGE', `${name}: ${error.message}`, { hint: error.hint ?? `see: skulk ${command.name} --help`, cause: error });
    }
  }
}

/** The error for a wrong word where only a few are possible, e.g. an action. */
function noSuchChoice(key: string, text: string, choices: readonly string[], command: AnyCommand): SkulkError {
  const suggestion = nearest(text, choices);
  const hint = suggestion === undefined ? `use one of ${choices.join(', ')}` : `did you mean ${suggestion}?`;
  return usage(`"skulk ${command.name}" has no ${key} ${JSON.stringify(text)}`, command, hintInstead(command, text) ?? hint);
}

const hintInstead = ({ instead = {} }: AnyCommand, word: string): string | undefined =>
  Object.hasOwn(instead, word) ? instead[word] : undefined;

function readGlobals(given: GivenTexts): GlobalValues {
  const entries = Object.entries(globalOptions).map(([key, option]) => [key, option.read(given[key] ?? [])]);
  return Object.fromEntries(entries) as GlobalValues;
}

/** The short global flags, also several in one word. */
const letters = new RegExp(
  `^-[${Object.values<OptionSpec<unknown>>(globalOptions)
    .flatMap(({ short = '' }) => short)
    .join('')}]+$`,
);

/** The error for an unknown flag without a command, or for one whose value is missing or has no place. */
export function wrongGlobalFlag(words: readonly string[]): SkulkError | undefined {
  const last = words.at(-1) ?? '';
  if (globalFlagsWithValue.has(last) && !globalFlagsWithValue.has(words.at(-2) ?? ''))
    return new SkulkError('USAGE', `${last} needs a value`, { hint: 'see: skulk --help' });
  const unwanted = words.find((text) => hasUnwantedValue(text, globalOptions));
  if (unwanted !== undefined) return new SkulkError('USAGE', needsNoValue(unwanted), { hint: 'see: skulk --help' });
  const flags = Object.keys(globalOptions).map(flagName);
  const word = words
    .map((text) => text.replace(/=.*$/s, ''))
    .find((text) => /^-./.test(text) && text !== '--' && !flags.includes(text) && !letters.test(text));
  if (word === undefined) return undefined;
  const suggestion = word === '-V' ? '--version' : nearest(word, flags);
  return new SkulkError('USAGE', `skulk has no option ${word}`, {
    hint: suggestion === undefined ? '`skulk --help` lists the options' : `did you mean ${suggestion}?`,
  });
}

/** Whether a word gives a value to a flag that takes none, as in `--json=true`. */
const hasUnwantedValue = (word: string, options: Readonly<Record<string, OptionSpec<unknown>>>): boolean =>
  Object.entries(options).some(([key, { placeholder }]) => placeholder === undefined && word.startsWith(`${flagName(key)}=`));

const needsNoValue = (word: string): string => `${word.replace(/=.*$/s, '')} does not take a value`;

function explain(
  { code, message }: CommanderError,
  command: AnyCommand,
  options: Readonly<Record<string, OptionSpec<unknown>>>,
): SkulkError {
  const named = /'([^']+)'/.exec(message)?.[1] ?? '';
  if (code === 'commander.unknownOption') {
    // The text after "=" may be a secret.
    const word = named.replace(/=.*$/s, '');
    if (hasUnwantedValue(named, options)) return usage(needsNoValue(named), command);
    const suggestion = nearest(word, Object.keys(options).map(flagName));
    const isForeign = Object.values(command.arguments).some(({ afterDashes = false }) => afterDashes);
    const otherwise = isForeign
      ? `if it is an option of the program, put -- before the program: skulk ${command.name} MODEL -- PROGRAM ${word}`
      : undefined;
    return usage(
      `"skulk ${command.name}" has no option ${word}`,
      command,
      hintInstead(command, word) ?? (suggestion === undefined ? otherwise : `did you mean ${suggestion}?`),
    );
  }
  if (code === 'commander.optionMissingArgument') {
    const [, flag = named, placeholder = 'value'] = /(--[\w-]+) <([^>]+)>/.exec(named) ?? [];
    return usage(`${flag} needs a value: ${flag} ${placeholder}`, command);
  }
  return usage(message.replace(/^error: /, ''), command);
}

const usage = (message: string, command: AnyCommand, hint = `see: skulk ${command.name} --help`): SkulkError =>
  new SkulkError('USAGE', message, { hint });
