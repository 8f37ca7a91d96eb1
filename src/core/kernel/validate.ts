import { Ajv } from 'ajv';
import type { Static, TSchema } from 'typebox';
import { type Problem, toProblems } from './problem.ts';

/**
 * Schemas are our own and checked by their type, so the meta-schema (20 ms to compile) is left out. Formats are gates of our own, which
 * say more of a bad value than that it does not match.
 */
export const validatorOptions = { allErrors: true, meta: false, validateSchema: false, strict: false, validateFormats: false } as const;

/** Checks values against one schema; the schema is compiled at the first use. */
export function validatorOf<T extends TSchema>(schema: T): (value: unknown) => readonly Problem[] {
  let check: ReturnType<Ajv['compile']> | undefined;
  return (value) => {
    check ??= new Ajv(validatorOptions).compile<Static<T>>(schema);
    return check(value) ? [] : toProblems(check.errors);
  };
}

/** Finds the first thing that is wrong with a value from outside, as ajv says it: `/model_id must be string`; undefined when nothing is. */
export function faultFinderOf(schema: object): (value: unknown) => string | undefined {
  const check = new Ajv({ ...validatorOptions, allErrors: false }).compile(schema);
  return (value) => {
    if (check(value)) return undefined;
    const [{ instancePath = '', message = 'is not valid' } = {}] = check.errors ?? [];
    return `${instancePath} ${message}`;
  };
}
