import { Worker } from 'node:worker_threads';
import { SkulkError } from '../../kernel/errors.ts';
import { workerUrl } from '../../kernel/flow/worker-url.ts';
import type { Sha256 } from '../../kernel/sha256.ts';
import type { FetchPlan } from '../../transfer/fetch-pieces.ts';
import type { Piece } from '../../transfer/pieces.ts';
import { createBatches, type LaneItem } from './batches.ts';
import { type LanePort, type LaneSettings, runLane } from './lane.ts';
import { NeedsOrdinaryClient } from './piece-reader.ts';
import { unpackError } from './send-error.ts';
import { counterOf, type FromThread, type ThreadStart, type ToThread } from './thread-messages.ts';

/** What to fetch; see `FetchPlan`. */
export type WirePlan = Pick<
  FetchPlan,
  'pieces' | 'limiter' | 'signal' | 'onVerified' | 'partOf' | 'onPart' | 'onResumed' | 'onBytes' | 'onDiscarded'
> & {
  /** 0 means on this thread. */
  readonly threads: number;
};

/** How often the threads' counts are reported, in milliseconds. */
const reportEveryMs = 100;

/**
 * Fetches pieces on threads, each with its own connection. If a thread dies, the others take over its work, finally this one.
 * @returns the pieces that need an ordinary client, because this reader does not support the server's answer
 * @throws SkulkError as `fetchPiece`; the signal's reason. After that, no file is touched any more
 */
export async function fetchOverWire(settings: LaneSettings, plan: WirePlan): Promise<readonly Piece[]> {
  const { pieces, signal } = plan;
  const stop = new AbortController();
  const all = AbortSignal.any([signal, stop.signal]);
  const open = new Set(pieces.keys());
  const parts = new Map<number, number>();
  const batches = createBatches(pieces, (number) => parts.get(number) ?? plan.partOf?.(pieces[number] as Piece) ?? 0);
  const writing = new Set<Promise<void>>();
  let failure: unknown;
  const fail = (error: unknown): void => {
    failure ??= error;
    stop.abort(new SkulkError('INTERRUPTED', 'another part of the transfer failed'));
  };
  const verified = async (number: number, sha256: Sha256): Promise<void> => {
    await plan.onVerified(pieces[number] as Piece, sha256);
    open.delete(number);
  };
  const part = (number: number, bytes: number): Promise<void> | undefined => {
    parts.set(number, bytes);
    return plan.onPart?.(pieces[number] as Piece, bytes);
  };
  /** Records are saved while the next bytes arrive. */
  const keep = (work: Promise<void> | undefined): undefined => {
    if (work === undefined) return;
    writing.add(work);
    work.catch(fail).finally(() => writing.delete(work));
  };

  const threads = Array.from({ length: plan.threads }, () =>
    runThread({ settings, rate: plan.limiter.shared, counters: new BigInt64Array(new SharedArrayBuffer(24)) }, all, {
      next: batches.next,
      putBack: batches.putBack,
      verified: (number, sha256) => keep(verified(number, sha256)),
      part: (number, bytes) => keep(part(number, bytes)),
      count: ({ resumed, received, discarded }) => {
        if (resumed > 0) plan.onResumed?.(resumed);
        if (received > 0) plan.onBytes(received);
        if (discarded > 0) plan.onDiscarded(discarded);
      },
    }).catch(fail),
  );
  await Promise.all(threads);
  await Promise.allSettled(writing);
  if (failure === undefined && !all.aborted && batches.isLeft()) {
    const port: LanePort = {
      next: async () => batches.next(),
      verified: (number, sha256) => keep(verified(number, sha256)),
      part: (number, bytes) => keep(part(number, bytes)),
      resumed: (bytes) => plan.onResumed?.(bytes),
      received: plan.onBytes,
      discarded: plan.onDiscarded,
    };
    await runLane(settings, port, { limiter: plan.limiter, signal: all }).catch(fail);
    await Promise.allSettled(writing);
  }
  if (signal.aborted) throw signal.reason;
  if (failure !== undefined && !(failure instanceof NeedsOrdinaryClient)) throw failure;
  return [...open].map((number) => pieces[number] as Piece);
}

/** The callbacks for a thread's messages. */
interface ThreadListener {
  readonly next: () => readonly LaneItem[] | undefined;
  readonly putBack: (numbers: Iterable<number>) => void;
  readonly verified: (number: number, sha256: Sha256) => void;
  readonly part: (number: number, bytes: number) => void;
  /** In bytes, since the last report. */
  readonly count: (counts: { readonly resumed: number; readonly received: number; readonly discarded: number }) => void;
}

/** Resolves when the thread has ended, or died; rejects with its error. */
async function runThread(start: ThreadStart, signal: AbortSignal, listener: ThreadListener): Promise<void> {
  if (signal.aborted) return;
  const given = new Set<number>();
  const reported = [0n, 0n, 0n];
  const count = (): void => {
    const since = (name: keyof typeof counterOf): number => {
      const now = Atomics.load(start.counters, counterOf[name]);
      const before = reported[counterOf[name]] ?? 0n;
      reported[counterOf[name]] = now;
      return Number(now - before);
    };
    listener.count({ resumed: since('resumed'), received: since('received'), discarded: since('discarded') });
  };
  const worker = new Worker(workerUrl(import.meta.url, 'range-worker'), { workerData: start });
  const send = (message: ToThread): void => worker.postMessage(message);
  const abort = (): void => send({ type: 'abort' });
  const timer = setInterval(count, reportEveryMs);
  signal.addEventListener('abort', abort);
  try {
    await new Promise<void>((resolve, reject) => {
      worker.on('message', (message: FromThread) => {
        count();
        switch (message.type) {
          case 'want': {
            const items = signal.aborted ? undefined : listener.next();
            for (const { number } of items ?? []) given.add(number);
            return send({ type: 'items', items });
          }
          case 'part':
            return listener.part(message.number, message.bytes);
          case 'verified':
            given.delete(message.number);
            return listener.verified(message.number, message.sha256);
          case 'ended':
            if (message.error === undefined || signal.aborted) return resolve();
            return reject(unpackError(message.error));
        }
      });
      // A thread that could not be created, or ran out of memory.
      worker.on('error', () => resolve());
      worker.on('exit', () => resolve());
    });
  } finally {
    clearInterval(timer);
    signal.removeEventListener('abort', abort);
    count();
    listener.putBack(given);
    await worker.terminate();
  }
}
