import type { Config, SettingFlags } from '../core/config/settings.ts';
import type { Connections } from '../core/connect/connections.ts';
import type { SkulkError } from '../core/kernel/errors.ts';
import type { Follow } from '../core/kernel/flow/follow.ts';
import type { Replacement } from '../core/kernel/process/replace-process.ts';
import type { World } from '../core/kernel/world.ts';
import type { WatchedLists } from '../core/operations/live/watch-lists.ts';
import type { InitAnswers } from '../core/operations/settings/config.ts';
import type { ConfigQuestions } from '../core/operations/settings/config-questions.ts';
import type { ExitName } from './exits.ts';
import type { Color } from './render/paint.ts';
import type { DashboardSource } from './render/show-dashboard.tsx';
import type { ArgumentSpec, OptionSpec } from './specs.ts';

export { argument, choice, duration, flag, flagName, list, number, rate, requiredNumber, value, variadic } from './specs.ts';

/** The dependencies of an operation. */
export interface Deps {
  readonly world: World;
  readonly config: Config;
  /** They are closed when the command ends. */
  readonly connections: Connections;
}

/** The full-screen views of a terminal. */
export interface Screens {
  /** Whether there is a terminal for output and keys, and no JSON is requested. */
  canShow(): boolean;
  /**
   * Shows the dashboard until the user leaves it.
   * @param open called if there is a terminal; its result is closed at the end
   * @throws SkulkError USAGE without a terminal; the dashboard's own errors
   */
  dashboard(open: () => Promise<DashboardSource>): Promise<void>;
  /** Asks for the content of a new configuration. @returns undefined if the user leaves without an answer */
  configQuestions(questions: ConfigQuestions): Promise<InitAnswers | undefined>;
}

/** A value to watch; `text` is printed if no full-screen view is possible. */
export interface Watched<T> {
  readonly follow: Follow<T>;
  /** The document for `--json`, and the text otherwise; undefined while there is no result. */
  readonly result: (now: T) => { readonly json: unknown; readonly text: readonly TextBlock[] } | undefined;
}

/** What a command can use of the shell. */
export interface CommandContext {
  readonly world: World;
  /** The global flags that affect settings. */
  readonly flags: SettingFlags;
  /** The requested amount of messages. */
  readonly logLevel: 'debug' | 'info' | 'warn';
  /** The destination of a server's log; if absent, stderr, written at once. */
  readonly logStream?: { write(line: string): void };
  /** Replaces the process by a new one of the same program; absent where that is not possible. */
  readonly replacement?: Replacement;
  /** Whether results go to a terminal, and not to a file, a pipe or a log. */
  isOnTerminal(): boolean;
  /** Whether a user can answer questions. */
  canAsk(): boolean;
  /**
   * Loads the configuration; the command's flags have the highest priority.
   * @throws SkulkError CONFIG
   */
  deps(flags?: SettingFlags): Promise<Deps>;
  /** Asks a yes-or-no question on the terminal; every other answer means no. */
  confirm(question: string): Promise<boolean>;
  /**
   * Passes every signal that can be forwarded to the listener, until the returned function is called. In the meantime no signal ends the
   * command.
   */
  takeSignals(listener: (signal: NodeJS.Signals) => void): () => void;
  /** Prints a result before the command ends: the line, or with `--json` the value as one line. */
  announce(line: string, json: unknown): void;
  readonly screens: Screens;
  /**
   * Shows a list and its changes until the user ends it: redrawn on a terminal, elsewhere printed again, with `--json` as one line.
   * Throws the error that ends it.
   */
  watch<Name extends keyof WatchedLists, T extends WatchedLists[Name]>(name: Name, watched: Watched<T>): Promise<void>;
  /** The completion script for a shell. */
  completionScript(shell: string): Promise<string>;
}

/**
 * A cell of a table, or a part of a line: a text, or a time in ISO 8601. A terminal shows a time as an age, or as `age`. In a table, a
 * terminal that is too narrow shows `short`.
 */
export type TableCell =
  | string
  | { readonly time: string; readonly age?: string }
  | { readonly text: string; readonly color?: Color | undefined; readonly short?: string };

/** A table in a text result. The shell pads the cells, fits them to a terminal, and escapes unsafe characters. */
export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly TableCell[])[];
  /** The columns, from 0, with numbers, aligned to the right. */
  readonly alignRight?: readonly number[];
  /** Further columns that are never cut. */
  readonly isWhole?: readonly number[];
  /** Columns that are cut in the middle, like the first one: the end of a path or a model's name says as much as its beginning. */
  readonly cutMiddle?: readonly number[];
  /** Columns that a narrow terminal does not show, in the order of their removal. */
  readonly optional?: readonly number[];
  /** A column of sentences. On a narrow terminal they are printed below the table, each after the first cell of its row. */
  readonly apart?: number;
  /** A column that on a terminal where it would be cut gets its own lines below each row. */
  readonly under?: number;
  /** Columns that are cut before all others, such as digests, whose beginning is enough. */
  readonly cutFirst?: readonly number[];
  /** Lines below the table that explain the short texts, by column. */
  readonly legend?: Readonly<Record<number, string>>;
}

/** A line with several parts, e.g. with a time. */
export interface LineOfParts {
  readonly line: readonly TableCell[];
  /** On a terminal that is too narrow, it continues between words on further lines, this far from the left. */
  readonly indent?: number;
  /** Whether it only helps a reader, so that `--quiet` omits it. */
  readonly aside?: boolean;
}

/** A line of a result that `--quiet` omits, e.g. the next step. */
export const aside = (text: string): LineOfParts => ({ line: [text], aside: true });

/** A sentence, which a narrow terminal shows on several lines. */
export const sentence = (text: string): LineOfParts => ({ line: [text], indent: 2 });

/** A line, or a table. */
export type TextBlock = string | LineOfParts | Table;

/** The result of a command: a renderer for users, a value for programs, and an error if the result is a failure. */
export interface Outcome {
  readonly text: readonly TextBlock[];
  /** Undefined means that nothing is printed. */
  readonly json: unknown;
  /** A message that is not part of the result. */
  readonly notice: string | undefined;
  readonly failure: SkulkError | undefined;
  /** The exit status without an error; by default 0. */
  readonly status: number | undefined;
}

/** The texts on the command line, by the name of the argument or option. A given flag has one empty text. */
export type GivenTexts = Readonly<Record<string, readonly string[]>>;

/** A command without its own types, as used by the shell, the help, the man pages and the completion. */
export interface AnyCommand {
  readonly name: string;
  readonly summary: string;
  readonly description: readonly string[];
  readonly arguments: Readonly<Record<string, ArgumentSpec<unknown>>>;
  readonly options: Readonly<Record<string, OptionSpec<unknown>>>;
  readonly examples: readonly Example[];
  /** Its possible exit statuses beside `ok`, `bug`, `usage` and `interrupted`. */
  readonly exits: readonly ExitName[];
  readonly whenInterrupted?: WhenInterrupted | undefined;
  readonly instead?: Readonly<Record<string, string>> | undefined;
  readonly ifTooMany?: string | undefined;
  /** Parses the texts and runs the command. */
  execute(given: GivenTexts, context: CommandContext): Promise<Outcome>;
}

/** What the user can do after stopping a command with Ctrl-C; it may depend on the command line. */
export type WhenInterrupted = string | ((given: GivenTexts) => string);

/** The purpose of an example, and its line. */
export type Example = readonly [does: string, line: string];

/** Loads each command's definition on demand, by its name. */
export type CommandLoaders = Readonly<Record<string, () => Promise<AnyCommand>>>;

type Arguments = Readonly<Record<string, ArgumentSpec<unknown>>>;
type Options = Readonly<Record<string, OptionSpec<unknown>>>;
type Values<Specs extends Arguments | Options> = { readonly [Name in keyof Specs]: ReturnType<Specs[Name]['read']> };

/** One command: the only source of its parser, help, man page and completion. */
export interface CommandDefinition<A extends Arguments, O extends Options, R> {
  readonly name: string;
  /** A phrase in lower case without a full stop. */
  readonly summary: string;
  /** Paragraphs. */
  readonly description: readonly string[];
  readonly arguments?: A;
  readonly options?: O;
  readonly examples: readonly Example[];
  readonly exits: readonly ExitName[];
  readonly run: (input: Values<A> & Values<O>, context: CommandContext) => Promise<R>;
  readonly text: (result: NoInfer<R>) => readonly TextBlock[];
  /** The document for `--json`; by default the result itself. Undefined means that nothing is printed. */
  readonly json?: (result: NoInfer<R>) => unknown;
  readonly notice?: (result: NoInfer<R>) => string | undefined;
  readonly whenInterrupted?: WhenInterrupted;
  /** Hints for actions and options that it does not have, but that people try. */
  readonly instead?: Readonly<Record<string, string>>;
  /** The hint for a word after its last argument, if people try that. */
  readonly ifTooMany?: string;
  /** The exit status of a successful result, e.g. that of an executed program. */
  readonly status?: (result: NoInfer<R>) => number;
  /** The error for a result that is a failure: the result is printed, and the error decides the exit status. */
  readonly failure?: (result: NoInfer<R>) => SkulkError | undefined;
}

/** Turns a definition with its own types into a command that the shell can run. */
export function defineCommand<const A extends Arguments, const O extends Options, R>(definition: CommandDefinition<A, O, R>): AnyCommand {
  const { name, summary, description, examples, exits } = definition;
  const specs = { ...definition.arguments, ...definition.options };
  return {
    name,
    summary,
    description,
    examples,
    exits,
    whenInterrupted: definition.whenInterrupted,
    instead: definition.instead,
    ifTooMany: definition.ifTooMany,
    arguments: definition.arguments ?? {},
    options: definition.options ?? {},
    execute: async (given, context) => {
      const entries = Object.entries(specs).map(([key, spec]) => [key, spec.read(given[key] ?? [])]);
      const result = await definition.run(Object.fromEntries(entries), context);
      return {
        text: definition.text(result),
        json: definition.json === undefined ? result : definition.json(result),
        notice: definition.notice?.(result),
        failure: definition.failure?.(result),
        status: definition.status?.(result),
      };
    },
  };
}
