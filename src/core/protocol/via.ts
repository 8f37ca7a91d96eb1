/**
 * Names the servers of skulk that a request of a Hub client has passed, by their node ids: a store that asks another one for what it lacks
 * could be asked by it in turn.
 */
export const viaHeader = 'skulk-via';

/** The header with one server more. Pure. @param given as it came */
export const addVia = (given: string | readonly string[] | undefined, nodeId: string): string =>
  [...namesIn(given), nodeId].slice(-maxNames).join(', ');

/** Whether a request has passed a server before. Pure. */
export const hasPassed = (given: string | readonly string[] | undefined, nodeId: string): boolean => namesIn(given).includes(nodeId);

/** A longer way than anybody builds. */
const maxNames = 32;

const namesIn = (given: string | readonly string[] | undefined): readonly string[] =>
  [given ?? []]
    .flat()
    .join(',')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
