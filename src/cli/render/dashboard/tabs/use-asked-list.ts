import { useCallback, useEffect, useRef, useState } from 'react';
import { explain } from '../../parts/explain.ts';

/** How often a list is asked for while it is shown, in milliseconds. */
const askEveryMs = 3_000;

/** A list that no stream of the store reports. */
export interface AskedList<T> {
  /** Undefined until the first answer. */
  readonly value: T | undefined;
  /** Why the last request failed. */
  readonly problem: string | undefined;
  /** Asks at once. */
  readonly again: () => void;
}

/** Asks for a list again and again while it is shown, one request at a time. */
export function useAskedList<T>(ask: () => Promise<T>): AskedList<T> {
  const [state, setState] = useState<Omit<AskedList<T>, 'again'>>({ value: undefined, problem: undefined });
  const [round, setRound] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new round asks at once
  useEffect(() => {
    let isOver = false;
    let timer: NodeJS.Timeout | undefined;
    const next = async (): Promise<void> => {
      const answer = await latest.current().then(
        (value) => ({ value, problem: undefined }),
        (error: unknown) => ({ problem: explain(error).message }),
      );
      if (isOver) return;
      setState((before) => ({ ...before, ...answer }));
      timer = setTimeout(() => void next(), askEveryMs);
      timer.unref();
    };
    void next();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [round]);
  const again = useCallback(() => setRound((before) => before + 1), []);
  return { ...state, again };
}
