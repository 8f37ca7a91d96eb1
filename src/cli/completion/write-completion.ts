import { SkulkError } from '../../core/kernel/errors.ts';
import { aliasesOf } from '../aliases.ts';
import type { AnyCommand } from '../definition.ts';
import { globalOptions } from '../global-options.ts';
import { type Completes, flagName, type OptionSpec } from '../specs.ts';
import { writeBash } from './bash.ts';
import { writeFish } from './fish.ts';
import { writeZsh } from './zsh.ts';

/** One flag in a completion script. */
export interface CompletedFlag {
  readonly name: string;
  readonly short: string | undefined;
  readonly description: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
  /** The list that `skulk completion LIST PREFIX` prints. */
  readonly completes: Completes | undefined;
}

/** One command in a completion script. */
export interface CompletedVerb {
  readonly name: string;
  /** Its other names. Their arguments are completed, but the names themselves are not offered. */
  readonly aliases: readonly string[];
  readonly summary: string;
  readonly flags: readonly CompletedFlag[];
  /** The possible words of the first argument, if they are known. */
  readonly words: readonly string[];
  /** The list for the arguments. */
  readonly completes: Completes | undefined;
  /** Whether the list is only for the first argument. */
  readonly isOnlyFirst: boolean;
  /** Whether an argument may be a file name. */
  readonly takesFiles: boolean;
}

const writers = { bash: writeBash, zsh: writeZsh, fish: writeFish };

/**
 * The completion script of a shell, generated from the definitions.
 * @throws SkulkError USAGE for an unknown shell
 */
export function writeCompletion(shell: string, commands: readonly AnyCommand[]): string {
  const write = Object.hasOwn(writers, shell) ? writers[shell as keyof typeof writers] : undefined;
  if (write === undefined)
    throw new SkulkError('USAGE', `no completion for the shell ${JSON.stringify(shell)}`, { hint: 'choose bash, zsh or fish' });
  const everywhere = Object.entries(globalOptions).map(toFlag);
  const verbs = commands.map((command) => ({
    name: command.name,
    aliases: aliasesOf(command.name),
    summary: command.summary,
    flags: [...Object.entries(command.options).map(toFlag), ...everywhere],
    words: Object.values(command.arguments)[0]?.choices ?? [],
    completes: Object.values(command.arguments)[0]?.completes,
    isOnlyFirst: Object.values(command.arguments)[0]?.variadic === false,
    takesFiles: mayBeFile(command),
  }));
  const help = {
    name: 'help',
    aliases: [],
    summary: 'print the help of a command',
    flags: everywhere,
    words: commands.map(({ name }) => name),
    completes: undefined,
    isOnlyFirst: true,
    takesFiles: false,
  };
  return write([...verbs, help], everywhere);
}

/** Arguments without choices and without a list, such as a path, or the program of `run`. After an action, as of `policy`, none is a file. */
const mayBeFile = (command: AnyCommand): boolean =>
  Object.values(command.arguments)[0]?.choices === undefined &&
  Object.values(command.arguments).some(({ choices, completes }) => choices === undefined && completes === undefined);

function toFlag([key, { short, description, placeholder, choices = [], completes }]: [string, OptionSpec<unknown>]): CompletedFlag {
  return {
    name: flagName(key),
    short: short === undefined ? undefined : `-${short}`,
    description,
    takesValue: placeholder !== undefined,
    choices,
    completes,
  };
}
