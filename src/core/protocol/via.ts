import { SkulkError } from '../kernel/errors.ts';

/** A server refused a request that had passed it before. */
export class LoopDetected extends SkulkError {}

/**
 * Lists the skulk servers that a Hub client's request has passed, by their node ids: two stores that fetch missing files from each other
 * would otherwise form a loop.
 */
export const viaHeader = 'skulk-via';

/** The header with one more server. Pure. @param given as received */
export const addVia = (given: string | readonly string[] | undefined, nodeId: string): string =>
  [...namesIn(given), nodeId].slice(-maxNames).join(', ');

/** Whether a request has passed a server before. Pure. */
export const hasPassed = (given: string | readonly string[] | undefined, nodeId: string): boolean => namesIn(given).includes(nodeId);

/** More servers than any real setup has. */
const maxNames = 32;

const namesIn = (given: string | readonly string[] | undefined): readonly string[] =>
  [given ?? []]
    .flat()
    .join(',')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
