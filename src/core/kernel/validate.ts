import { Ajv } from 'ajv';
import type { Static, TSchema } from 'typebox';
import { type Problem, toProblems } from './problem.ts';

/**
 * The schemas are skulk's own and type-checked, so the meta-schema (20 ms to compile) is omitted. Formats are validated by skulk's own
 * functions, which explain a bad value better.
 */
export const validatorOptions = { allErrors: true, meta: false, validateSchema: false, strict: false, validateFormats: false } as const;

/** Validates values against one schema, which is compiled at the first use. */
export function validatorOf<T extends TSchema>(schema: T): (value: unknown) => readonly Problem[] {
  let check: ReturnType<Ajv['compile']> | undefined;
  return (value) => {
    check ??= new Ajv(validatorOptions).compile<Static<T>>(schema);
    return check(value) ? [] : toProblems(check.errors);
  };
}

/** Finds the first problem of the body of a request: `model_id must be a string`; undefined if there is none. */
export function faultFinderOf(schema: object): (value: unknown) => string | undefined {
  const check = new Ajv({ ...validatorOptions, allErrors: false }).compile(schema);
  return (value) => {
    if (check(value)) return undefined;
    const [problem] = toProblems(check.errors);
    return problem === undefined ? 'the body is not valid' : `${problem.path.join('.') || 'the body'} ${problem.message}`;
  };
}
