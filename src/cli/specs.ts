import { SkulkError } from '../core/kernel/errors.ts';
import { nearest } from '../core/kernel/nearest.ts';
import { parseDuration, parseRate } from '../core/kernel/units.ts';

/** The list for the completion of a value. */
export type Completes = 'models' | 'nodes' | 'tags';

/** A positional argument. `read` gets the given texts, in order. */
export interface ArgumentSpec<T> {
  readonly description: string;
  readonly variadic: boolean;
  readonly optional: boolean;
  /** It comes after `--`, so its words may begin with a dash. */
  readonly afterDashes?: boolean;
  /** Its words may be empty. */
  readonly mayBeEmpty?: boolean;
  readonly choices?: readonly string[];
  /** The value if it is not given. */
  readonly fallback?: string;
  readonly completes?: Completes;
  readonly read: (given: readonly string[]) => T;
}

/** An option. `read` gets every given text, in order; for a flag an empty text each time. */
export interface OptionSpec<T> {
  readonly description: string;
  /** The placeholder of the value in the help, e.g. `DIR`; absent for a flag. */
  readonly placeholder?: string;
  /** One letter. */
  readonly short?: string;
  readonly choices?: readonly string[];
  readonly completes?: Completes;
  readonly repeatable?: boolean;
  readonly required?: boolean;
  /** The environment variable with the same effect. */
  readonly env?: string;
  /** The default, as shown in the help. */
  readonly fallback?: string;
  readonly read: (given: readonly string[]) => T;
}

interface Notes {
  readonly completes?: Completes;
  readonly short?: string;
  readonly env?: string;
  readonly fallback?: string;
}

type Parse<T> = (text: string) => T;

const asIs: Parse<string> = (text) => text;

/** One argument; it is required unless it has a default. */
export function argument(
  description: string,
  details?: { readonly choices?: readonly string[]; readonly fallback?: string },
): ArgumentSpec<string>;
export function argument<T>(
  description: string,
  details: { readonly parse: Parse<T>; readonly choices?: readonly string[]; readonly completes?: Completes },
): ArgumentSpec<T>;
export function argument<T>(
  description: string,
  { parse, choices, completes, fallback }: { parse?: Parse<T>; choices?: readonly string[]; completes?: Completes; fallback?: string } = {},
): ArgumentSpec<T | string> {
  const check: Parse<T | string> = choices === undefined ? (parse ?? asIs) : oneOf(choices);
  const read = ([first = fallback ?? '']: readonly string[]): T | string => check(first);
  return {
    description,
    variadic: false,
    optional: fallback !== undefined,
    ...(fallback !== undefined && { fallback }),
    ...(choices && { choices }),
    ...(completes && { completes }),
    read,
  };
}

/** Any number of arguments at the end; at least one unless `optional`. */
export function variadic<T>(
  description: string,
  {
    parse,
    optional = false,
    afterDashes = false,
    mayBeEmpty = false,
    completes,
  }: { parse: Parse<T>; optional?: boolean; afterDashes?: boolean; mayBeEmpty?: boolean; completes?: Completes },
): ArgumentSpec<readonly T[]> {
  const read = (given: readonly string[]): readonly T[] => given.map(parse);
  return { description, variadic: true, optional, afterDashes, mayBeEmpty, ...(completes && { completes }), read };
}

/** An option without a value. */
export function flag(description: string, notes: Notes = {}): OptionSpec<boolean> {
  return { description, ...notes, read: (given) => given.length > 0 };
}

/** An option with a value; the last one counts. */
export function value(description: string, placeholder: string, notes?: Notes): OptionSpec<string | undefined>;
export function value<T>(description: string, placeholder: string, notes: Notes & { readonly parse: Parse<T> }): OptionSpec<T | undefined>;
export function value<T>(
  description: string,
  placeholder: string,
  { parse, ...notes }: Notes & { parse?: Parse<T> } = {},
): OptionSpec<T | string | undefined> {
  return { description, placeholder, ...notes, read: last(notEmpty<T | string>(parse ?? asIs)) };
}

/** An option that may be given several times. */
export function list(description: string, placeholder: string, notes: Notes = {}): OptionSpec<readonly string[]> {
  return { description, placeholder, repeatable: true, ...notes, read: (given) => given.map(notEmpty(asIs)) };
}

/** An option whose value is one of a few words, in any case. */
export function choice<const C extends readonly string[]>(
  description: string,
  placeholder: string,
  choices: C,
  notes: Notes = {},
): OptionSpec<C[number] | undefined> {
  return { description, placeholder, choices, ...notes, read: last(oneOf(choices)) };
}

/** An option whose value is an integer within bounds, both included. */
export function number(
  description: string,
  placeholder: string,
  { from, to, ...notes }: Notes & { from: number; to: number },
): OptionSpec<number | undefined> {
  const parse = (text: string): number => {
    if (/^\d{1,15}$/.test(text) && Number(text) >= from && Number(text) <= to) return Number(text);
    throw new SkulkError('USAGE', `${JSON.stringify(text)} must be a whole number from ${from} to ${to}`);
  };
  return { description, placeholder, ...notes, read: last(parse) };
}

/** The same for a required option. */
export function requiredNumber(description: string, placeholder: string, bounds: Notes & { from: number; to: number }): OptionSpec<number> {
  const spec = number(description, placeholder, bounds);
  return {
    ...spec,
    required: true,
    read: (given) => {
      const number = spec.read(given);
      if (number !== undefined) return number;
      throw new SkulkError('USAGE', 'it is required');
    },
  };
}

/** An option whose value is bytes per second, e.g. `100M`. */
export const rate = (description: string, notes: Notes = {}): OptionSpec<number | undefined> =>
  value(description, 'RATE', { ...notes, parse: parseRate });

/** An option whose value is a time, e.g. `10m`, in milliseconds. */
export const duration = (description: string, notes: Notes = {}): OptionSpec<number | undefined> =>
  value(description, 'DURATION', { ...notes, parse: parseDuration });

/** An option's name on the command line: `limitRate` is `--limit-rate`. */
export const flagName = (key: string): string => `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

function last<T>(parse: Parse<T>): (given: readonly string[]) => T | undefined {
  return (given) => given.map(parse).at(-1);
}

function notEmpty<T>(parse: Parse<T>): Parse<T> {
  return (text) => {
    if (text !== '') return parse(text);
    throw new SkulkError('USAGE', 'the value is empty');
  };
}

function oneOf<const C extends readonly string[]>(choices: C): Parse<C[number]> {
  return (text) => {
    const chosen = choices.find((one) => one.toLowerCase() === text.toLowerCase());
    if (chosen !== undefined) return chosen;
    const suggestion = nearest(text, choices);
    throw new SkulkError('USAGE', `${JSON.stringify(text)} must be one of ${choices.join(', ')}`, {
      ...(suggestion !== undefined && { hint: `did you mean ${suggestion}?` }),
    });
  };
}
