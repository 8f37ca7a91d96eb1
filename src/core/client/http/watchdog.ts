import { SkulkError } from '../../kernel/errors.ts';
import { startDeadline } from '../../kernel/flow/deadline.ts';

/** Watches one exchange with the store: ends it when the caller aborts, or when the store is silent for too long. */
export interface Watchdog extends Disposable {
  readonly signal: AbortSignal;
  /** From now on, data is expected. */
  expect(): void;
  /** Data arrived, or nothing is expected any more. */
  rest(): void;
  /** Ends the exchange. */
  stop(): void;
}

/** @param silenceMs how long nothing may arrive while data is expected */
export function createWatchdog({ url, silenceMs, signals }: { url: string; silenceMs: number; signals: readonly AbortSignal[] }): Watchdog {
  const controller = new AbortController();
  const forward = (event: Event): void => controller.abort((event.target as AbortSignal).reason);
  for (const signal of signals) {
    if (signal.aborted) controller.abort(signal.reason);
    else signal.addEventListener('abort', forward, { once: true });
  }
  let stopDeadline: (() => void) | undefined;
  const rest = (): void => stopDeadline?.();
  const bark = (): void => {
    const error = new SkulkError('STORE_UNREACHABLE', `the store at ${url} sent nothing for ${silenceMs / 1000} s`, {
      hint: 'check the network between the machines',
      // Distinguishes a silence from a refusal.
      cause: Object.assign(new Error('no data arrived in time'), { code: 'ETIMEDOUT' }),
    });
    controller.abort(error);
  };
  return {
    signal: controller.signal,
    expect: () => {
      rest();
      stopDeadline = startDeadline(bark, silenceMs);
    },
    rest,
    stop: () => controller.abort(new SkulkError('INTERRUPTED', 'the exchange ended')),
    [Symbol.dispose]: () => {
      rest();
      for (const signal of signals) signal.removeEventListener('abort', forward);
    },
  };
}
