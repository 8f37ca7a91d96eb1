import { startDeadline } from '../../../kernel/flow/deadline.ts';

/** Calls `act` after this many milliseconds, unless the returned function is called first. */
export type After = (act: () => void, ms: number) => () => void;

/** A connection that delivers bytes from the position where the previous ones ended. */
interface Lane {
  readonly bytes: AsyncIterator<Uint8Array>;
  readonly controller: AbortController;
  next: Promise<Outcome> | undefined;
}

type Outcome =
  | { readonly lane: Lane; readonly result: IteratorResult<Uint8Array> }
  | { readonly lane: Lane; readonly error: unknown }
  /** Nothing arrived for too long. */
  | undefined;

/**
 * Delivers bytes from a position. If none arrive for a while, a second connection is opened at the current position. The first one that
 * delivers continues alone. It fails when no connection is left.
 * @param open opens the bytes from a position, in order
 */
export async function* hideStalls(
  open: (start: number, signal: AbortSignal) => AsyncIterable<Uint8Array>,
  {
    start,
    stallMs,
    signal,
    after = startDeadline,
  }: { readonly start: number; readonly stallMs: number; readonly signal: AbortSignal; readonly after?: After | undefined },
): AsyncGenerator<Uint8Array> {
  let at = start;
  const openLane = (): Lane => {
    const controller = new AbortController();
    const bytes = open(at, AbortSignal.any([signal, controller.signal]))[Symbol.asyncIterator]();
    return { bytes, controller, next: undefined };
  };
  let lanes = [openLane()];
  try {
    for (;;) {
      const outcome = await firstOf(lanes, { stallMs, after });
      if (signal.aborted) throw signal.reason;
      if (outcome === undefined) {
        // If two deliver nothing, the younger one stays.
        for (const lane of lanes.slice(0, -1)) close(lane);
        lanes = [...lanes.slice(-1), openLane()];
        continue;
      }
      const { lane } = outcome;
      lane.next = undefined;
      if ('error' in outcome) {
        lanes = lanes.filter((one) => one !== lane);
        if (lanes.length === 0) throw outcome.error;
        continue;
      }
      for (const other of lanes) if (other !== lane) close(other);
      lanes = [lane];
      if (outcome.result.done === true) return;
      at += outcome.result.value.length;
      yield outcome.result.value;
    }
  } finally {
    for (const lane of lanes) close(lane);
  }
}

function firstOf(lanes: readonly Lane[], { stallMs, after }: { readonly stallMs: number; readonly after: After }): Promise<Outcome> {
  return new Promise((resolve) => {
    const cancel = after(() => resolve(undefined), stallMs);
    for (const lane of lanes) {
      lane.next ??= lane.bytes.next().then(
        (result): Outcome => ({ lane, result }),
        (error: unknown): Outcome => ({ lane, error }),
      );
      void lane.next.then((outcome) => {
        cancel();
        resolve(outcome);
      });
    }
  });
}

/** Its remaining bytes are not awaited. */
function close({ bytes, controller }: Lane): void {
  controller.abort(new Error('another connection brings these bytes'));
  void bytes.return?.().catch(() => undefined);
}
