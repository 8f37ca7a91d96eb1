import { SkulkError } from '../core/kernel/errors.ts';
import { explainAnySystemError } from '../core/kernel/explain-system-error.ts';
import type { SkulkEvent } from '../core/kernel/flow/events.ts';
import type { CallOptions } from './contract.ts';

/** What a running call can use. */
export interface Call {
  readonly signal: AbortSignal;
  readonly emit: (event: SkulkEvent) => void;
  /** Calls a listener of the program; if it throws, the call is aborted. */
  readonly notify: (listener: () => void) => void;
}

/** Runs calls in parallel until it is closed. */
export interface Calls {
  /** @throws SkulkError INTERRUPTED if the call was aborted, USAGE after the end; a listener's error; the work's error */
  make<T>(options: CallOptions, work: (call: Call) => Promise<T>): Promise<T>;
  /** Aborted when it is closed. */
  readonly signal: AbortSignal;
  /** Aborts running calls, and waits for their end. */
  close(): Promise<void>;
}

/** @param shared the options of every call, in addition to its own */
export function createCalls(shared: Pick<CallOptions, 'signal' | 'onEvent'>): Calls {
  const closing = new AbortController();
  const running = new Set<Promise<unknown>>();
  return {
    signal: closing.signal,
    make: (options, work) => {
      if (closing.signal.aborted)
        return Promise.reject(new SkulkError('USAGE', 'this skulk is closed', { hint: 'open another one with openSkulk()' }));
      const call = makeCall([closing.signal, shared.signal, options.signal], [shared, options], work);
      running.add(call);
      const forget = (): void => void running.delete(call);
      call.then(forget, forget);
      return call;
    },
    close: async () => {
      closing.abort(new SkulkError('INTERRUPTED', 'interrupted: skulk was closed'));
      await Promise.allSettled(running);
    },
  };
}

async function makeCall<T>(
  signals: readonly (AbortSignal | undefined)[],
  listeners: readonly CallOptions[],
  work: (call: Call) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  const stopListening = signals.map((signal) => passOn(signal, abort));
  let thrown: { readonly error: unknown } | undefined;
  let isOver = false;
  const notify = (listener: () => void): void => {
    if (isOver || thrown !== undefined) return;
    try {
      listener();
    } catch (error) {
      thrown = { error };
      abort.abort(new SkulkError('INTERRUPTED', 'interrupted: a listener failed', { cause: error }));
    }
  };
  const emit = (event: SkulkEvent): void => {
    for (const { onEvent, onProgress } of listeners) {
      if (onEvent !== undefined) notify(() => onEvent(event));
      if (onProgress !== undefined && event.type === 'progress') notify(() => onProgress(event));
    }
  };
  try {
    abort.signal.throwIfAborted();
    const result = await work({ signal: abort.signal, emit, notify });
    if (thrown !== undefined) throw thrown.error;
    return result;
  } catch (error) {
    if (thrown !== undefined) throw thrown.error;
    if (!abort.signal.aborted) throw explainAnySystemError(error);
    // Running work fails in different ways after an abort, but a partial result is still worth reporting.
    throw error instanceof SkulkError && error.code === 'PARTIAL' ? error : abort.signal.reason;
  } finally {
    isOver = true;
    for (const stop of stopListening) stop();
  }
}

/** Aborts a call with a SkulkError, whatever the reason of the signal is. */
function passOn(signal: AbortSignal | undefined, abort: AbortController): () => void {
  const onAbort = (): void => {
    const cause: unknown = signal?.reason;
    abort.abort(cause instanceof SkulkError ? cause : new SkulkError('INTERRUPTED', 'interrupted: the call was aborted', { cause }));
  };
  if (signal?.aborted) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  return () => signal?.removeEventListener('abort', onAbort);
}
