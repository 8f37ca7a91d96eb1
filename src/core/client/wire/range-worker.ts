import { parentPort, workerData } from 'node:worker_threads';
import { SkulkError } from '../../kernel/errors.ts';
import { joinRateLimiter, unlimited } from '../../transfer/rate-limiter.ts';
import type { LaneItem } from './batches.ts';
import { runLane } from './lane.ts';
import { packError } from './send-error.ts';
import { counterOf, type FromThread, type ThreadStart, type ToThread } from './thread-messages.ts';

// One lane on its own thread: arriving bytes are hashed and written before the next ones are read.
const { settings, rate, counters } = workerData as ThreadStart;
const stop = new AbortController();
let give: ((items: readonly LaneItem[] | undefined) => void) | undefined;
const post = (message: FromThread): void => parentPort?.postMessage(message);
const count =
  (counter: keyof typeof counterOf) =>
  (bytes: number): void =>
    void Atomics.add(counters, counterOf[counter], BigInt(bytes));

parentPort?.on('message', (message: ToThread) => {
  if (message.type === 'items') return give?.(message.items);
  stop.abort(new SkulkError('INTERRUPTED', 'the transfer ended'));
  give?.(undefined);
});

runLane(
  settings,
  {
    next: () =>
      new Promise((resolve) => {
        give = resolve;
        if (stop.signal.aborted) resolve(undefined);
        else post({ type: 'want' });
      }),
    verified: (number, sha256) => void post({ type: 'verified', number, sha256 }),
    part: (number, bytes) => void post({ type: 'part', number, bytes }),
    resumed: count('resumed'),
    received: count('received'),
    discarded: count('discarded'),
  },
  { limiter: rate === undefined ? unlimited : joinRateLimiter(rate), signal: stop.signal },
).then(
  () => post({ type: 'ended', error: undefined }),
  (error: unknown) => post({ type: 'ended', error: packError(error) }),
);
