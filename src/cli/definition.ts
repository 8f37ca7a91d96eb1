import type { Config, SettingFlags } from '../core/config/settings.ts';
import type { Connections } from '../core/connect/connections.ts';
import type { SkulkError } from '../core/kernel/errors.ts';
import type { Follow } from '../core/kernel/flow/follow.ts';
import type { World } from '../core/kernel/world.ts';
import type { WatchedLists } from '../core/operations/live/watch-lists.ts';
import type { InitAnswers } from '../core/operations/settings/config.ts';
import type { ConfigQuestions } from '../core/operations/settings/config-questions.ts';
import type { ExitName } from './exits.ts';
import type { Color } from './render/paint.ts';
import type { DashboardSource } from './render/show-dashboard.tsx';
import type { ArgumentSpec, OptionSpec } from './specs.ts';

export { argument, choice, duration, flag, list, number, rate, requiredNumber, value, variadic } from './specs.ts';

/** What an operation receives beside its request. */
export interface Deps {
  readonly world: World;
  readonly config: Config;
  /** They are closed when the command ends. */
  readonly connections: Connections;
}

/** The screens of a terminal. */
export interface Screens {
  /** Whether there is a terminal to show one on and to read keys from, and no JSON is asked for. */
  canShow(): boolean;
  /**
   * Shows the dashboard until somebody leaves it.
   * @param open called when there is a terminal; what it gives is closed at the end
   * @throws SkulkError USAGE without a terminal; what the dashboard cannot go on for
   */
  dashboard(open: () => Promise<DashboardSource>): Promise<void>;
  /** Asks what a new configuration is to say. @returns undefined when somebody leaves without an answer */
  configQuestions(questions: ConfigQuestions): Promise<InitAnswers | undefined>;
}

/** What is to be watched; `text` says what is printed of it where no screen can be shown. */
export interface Watched<T> {
  readonly follow: Follow<T>;
  /** The document for `--json`, and what is printed otherwise; undefined while there is nothing to say. */
  readonly result: (now: T) => { readonly json: unknown; readonly text: readonly TextBlock[] } | undefined;
}

/** What a command may use of the shell. */
export interface CommandContext {
  readonly world: World;
  /** The global flags that settings depend on. */
  readonly flags: SettingFlags;
  /** How much the person wants to hear. */
  readonly logLevel: 'debug' | 'info' | 'warn';
  /** Where a server logs; stderr, written at once, when absent. */
  readonly logStream?: { write(line: string): void };
  /** Whether results are read on a terminal, and do not go into a file, a pipe or a log. */
  isOnTerminal(): boolean;
  /** Whether there is somebody to ask. */
  canAsk(): boolean;
  /**
   * Loads the configuration; flags of the command win over everything.
   * @throws SkulkError CONFIG
   */
  deps(flags?: SettingFlags): Promise<Deps>;
  /** Asks a yes-or-no question on the terminal; everything but yes is no. */
  confirm(question: string): Promise<boolean>;
  /** Hands over every signal that can be passed on, until the returned function is called; none of them ends the command meanwhile. */
  takeSignals(listener: (signal: NodeJS.Signals) => void): () => void;
  /** Prints a result before the command ends: the line, or with `--json` the value as one line. */
  announce(line: string, json: unknown): void;
  readonly screens: Screens;
  /**
   * Shows a list as it changes until somebody ends it: on a terminal drawn anew, elsewhere its result printed again, with `--json` as one
   * line. Throws what it cannot go on for.
   */
  watch<Name extends keyof WatchedLists, T extends WatchedLists[Name]>(name: Name, watched: Watched<T>): Promise<void>;
  /** The completion script for a shell. */
  completionScript(shell: string): Promise<string>;
}

/** A cell of a table, or a part of a line: a text, or a time in ISO 8601, which a terminal shows as an age, or as `age` says it. */
export type TableCell =
  | string
  | { readonly time: string; readonly age?: string }
  | { readonly text: string; readonly color: Color | undefined };

/** A table of a text result. The shell pads the cells, fits them to a terminal, and escapes what a terminal must not see. */
export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly TableCell[])[];
  /** The columns, from 0, whose cells are numbers and stand at the right. */
  readonly alignRight?: readonly number[];
  /** Further columns that are never cut. */
  readonly isWhole?: readonly number[];
  /** Columns that a narrow terminal does not show, those that go first before the others. */
  readonly optional?: readonly number[];
  /** A column of sentences: on a terminal that is too narrow for it, they stand below the table, each after the first cell of its row. */
  readonly apart?: number;
}

/** A line of parts, for one with a time in it. */
export interface LineOfParts {
  readonly line: readonly TableCell[];
}

/** A line, or a table. */
export type TextBlock = string | LineOfParts | Table;

/** What a command did: a renderer for people, a value for programs, and the failure if the result is one. */
export interface Outcome {
  readonly text: readonly TextBlock[];
  /** Undefined: nothing is printed. */
  readonly json: unknown;
  /** Something to know that is not a part of the result. */
  readonly notice: string | undefined;
  readonly failure: SkulkError | undefined;
  /** The exit status when nothing failed; 0 when absent. */
  readonly status: number | undefined;
}

/** The texts of the command line by argument and option name; a flag that is given has one empty text. */
export type GivenTexts = Readonly<Record<string, readonly string[]>>;

/** A command without its own types; what the shell, the help, the man pages and the completion work with. */
export interface AnyCommand {
  readonly name: string;
  readonly summary: string;
  readonly description: readonly string[];
  readonly arguments: Readonly<Record<string, ArgumentSpec<unknown>>>;
  readonly options: Readonly<Record<string, OptionSpec<unknown>>>;
  readonly examples: readonly Example[];
  /** What it may end with beside `ok`, `bug`, `usage` and `interrupted`. */
  readonly exits: readonly ExitName[];
  readonly whenInterrupted?: string | undefined;
  /** Parses the texts and runs the command. */
  execute(given: GivenTexts, context: CommandContext): Promise<Outcome>;
}

/** What an example does, and the line to type. */
export type Example = readonly [does: string, line: string];

/** Loads each command's definition on demand, by verb. */
export type CommandLoaders = Readonly<Record<string, () => Promise<AnyCommand>>>;

type Arguments = Readonly<Record<string, ArgumentSpec<unknown>>>;
type Options = Readonly<Record<string, OptionSpec<unknown>>>;
type Values<Specs extends Arguments | Options> = { readonly [Name in keyof Specs]: ReturnType<Specs[Name]['read']> };

/** One verb: the one source of its parser, help, man page and completion. */
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
  /** The document for `--json`; the result itself when absent. Undefined: nothing is printed. */
  readonly json?: (result: NoInfer<R>) => unknown;
  readonly notice?: (result: NoInfer<R>) => string | undefined;
  /** What a person whose Ctrl-C ended it can do next. */
  readonly whenInterrupted?: string;
  /** The exit status of a result that is no failure, e.g. that of a program that was run. */
  readonly status?: (result: NoInfer<R>) => number;
  /** The failure that a result stands for: it is printed, and the error decides the exit status. */
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
