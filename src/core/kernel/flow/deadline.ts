/**
 * Calls `act` once `ms` have passed, unless the returned function is called before. Whatever lies in the sockets by then is read
 * first: a process that was suspended finds its timers due before the bytes that came meanwhile.
 */
export function startDeadline(act: () => void, ms: number): () => void {
  let look: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    // The event loop polls its sockets between a timer and what is set for immediately after.
    look = setImmediate(act);
  }, ms);
  return () => {
    clearTimeout(timer);
    clearImmediate(look);
  };
}
