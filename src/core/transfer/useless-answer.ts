import { SkulkError } from '../kernel/errors.ts';

/**
 * The source responds, but not with the requested bytes: it sends another range, a whole file instead of a part, or a compressed form.
 * The same request would hardly get a better response; a request for the whole file may.
 */
export class UselessAnswer extends SkulkError {}
