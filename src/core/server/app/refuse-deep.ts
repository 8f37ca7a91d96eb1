import { SkulkError } from '../../kernel/errors.ts';
import { isNestedDeeper } from '../../kernel/is-nested-deeper.ts';

/** No body of a request has objects and lists within each other to this depth. */
const deepest = 64;

/**
 * Refuses a body whose objects and lists are nested too deeply.
 * @param value from JSON.parse
 * @throws SkulkError BAD_REQUEST
 */
export function refuseDeep(value: unknown): void {
  if (isNestedDeeper(value, deepest)) throw new SkulkError('BAD_REQUEST', `the body is nested in more than ${deepest} levels`);
}
