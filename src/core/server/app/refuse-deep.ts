import { SkulkError } from '../../kernel/errors.ts';

/** No body of a request has objects and lists within each other to this depth. */
const deepest = 64;

/**
 * Refuses a body whose objects and lists are nested too deeply. JSON.parse accepts any depth, but JSON.stringify and other functions that
 * call themselves for each level then fail.
 * @param value from JSON.parse
 * @throws SkulkError BAD_REQUEST
 */
export function refuseDeep(value: unknown): void {
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > deepest) throw new SkulkError('BAD_REQUEST', `the body is nested in more than ${deepest} levels`);
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []));
  }
}
