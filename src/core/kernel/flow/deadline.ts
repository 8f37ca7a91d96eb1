/**
 * Calls `act` once `ms` have passed, unless the returned function is called first. Data that is already in the sockets is read before
 * that. After a process was suspended, its timers are due before the bytes that arrived in the meantime.
 */
export function startDeadline(act: () => void, ms: number): () => void {
  let immediate: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    // The event loop polls its sockets between a timer and the immediates that the timer sets.
    immediate = setImmediate(act);
  }, ms);
  return () => {
    clearTimeout(timer);
    clearImmediate(immediate);
  };
}
