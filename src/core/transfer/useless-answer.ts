import { SkulkError } from '../kernel/errors.ts';

/**
 * What answers is there and sends bytes, but not those that were asked for: another range, a whole file instead of a part, a compressed
 * form. Asked the same again it hardly sends anything else; asked for the whole file it may.
 */
export class UselessAnswer extends SkulkError {}
