import { useCallback, useEffect, useRef, useState } from 'react';
import { type ApiError, asApiError } from '../api/api-error.ts';

/** A request to the server that a person started. */
export interface Task<T> {
  readonly isBusy: boolean;
  readonly error: ApiError | undefined;
  readonly result: T | undefined;
  /** Drops the last outcome and starts; a running request is aborted. */
  readonly start: (work: (signal: AbortSignal) => Promise<T>) => Promise<T | undefined>;
  /**
   * The same for a request that changes something: it continues without its component, which an event about the change may remove before
   * the answer arrives.
   */
  readonly change: (work: () => Promise<T>) => Promise<T | undefined>;
  /** Aborts a running request, and drops the outcome. */
  readonly reset: () => void;
}

/** One request at a time; `start` is aborted when its component is removed. */
export function useTask<T>(): Task<T> {
  const [state, setState] = useState<Pick<Task<T>, 'isBusy' | 'error' | 'result'>>({ isBusy: false, error: undefined, result: undefined });
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  const run = useCallback(async (work: (signal: AbortSignal) => Promise<T>, isChange: boolean): Promise<T | undefined> => {
    running.current?.abort();
    const own = new AbortController();
    running.current = own;
    setState({ isBusy: true, error: undefined, result: undefined });
    try {
      const result = await work(own.signal);
      if (!own.signal.aborted) setState({ isBusy: false, error: undefined, result });
      return own.signal.aborted && !isChange ? undefined : result;
    } catch (error) {
      if (!own.signal.aborted) setState({ isBusy: false, error: asApiError(error), result: undefined });
      return undefined;
    }
  }, []);
  const start = useCallback((work: (signal: AbortSignal) => Promise<T>) => run(work, false), [run]);
  const change = useCallback((work: () => Promise<T>) => run(work, true), [run]);
  const reset = useCallback(() => {
    running.current?.abort();
    setState({ isBusy: false, error: undefined, result: undefined });
  }, []);
  return { ...state, start, change, reset };
}
