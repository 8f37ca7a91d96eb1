import { SkulkError } from '../core/kernel/errors.ts';
import { explainAnySystemError } from '../core/kernel/explain-system-error.ts';
import type { SkulkEvent } from '../core/kernel/flow/events.ts';
import type { CallOptions } from './contract.ts';

/** What a call may use while it runs. */
export interface Call {
  readonly signal: AbortSignal;
  readonly emit: (event: SkulkEvent) => void;
  /** Calls a listener of the program; when it throws, the call is aborted. */
  readonly tell: (listener: () => void) => void;
}

/** Runs calls beside each other until it is closed. */
export interface Calls {
  /** @throws SkulkError INTERRUPTED when the call was aborted, USAGE after the end; what a listener threw; what the work throws */
  make<T>(options: CallOptions, work: (call: Call) => Promise<T>): Promise<T>;
  /** Aborts when it is closed. */
  readonly signal: AbortSignal;
  /** Aborts what still runs, and waits for its end. */
  close(): Promise<void>;
}

/** @param shared what is in force for every call beside its own options */
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
  const tell = (listener: () => void): void => {
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
      if (onEvent !== undefined) tell(() => onEvent(event));
      if (onProgress !== undefined && event.type === 'progress') tell(() => onProgress(event));
    }
  };
  try {
    abort.signal.throwIfAborted();
    const result = await work({ signal: abort.signal, emit, tell });
    if (thrown !== undefined) throw thrown.error;
    return result;
  } catch (error) {
    if (thrown !== undefined) throw thrown.error;
    if (!abort.signal.aborted) throw explainAnySystemError(error);
    // What was running then fails in its own way; but what was done before is worth telling.
    throw error instanceof SkulkError && error.code === 'PARTIAL' ? error : abort.signal.reason;
  } finally {
    isOver = true;
    for (const stop of stopListening) stop();
  }
}

/** Aborts a call with a SkulkError, whatever a signal was aborted with. */
function passOn(signal: AbortSignal | undefined, abort: AbortController): () => void {
  const onAbort = (): void => {
    const cause: unknown = signal?.reason;
    abort.abort(cause instanceof SkulkError ? cause : new SkulkError('INTERRUPTED', 'interrupted: the call was aborted', { cause }));
  };
  if (signal?.aborted) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  return () => signal?.removeEventListener('abort', onAbort);
}
