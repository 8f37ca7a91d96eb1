import { useEffect, useRef, useState } from 'react';

/** An action that the user started. */
export interface Task<T> {
  readonly isBusy: boolean;
  readonly error: unknown;
  readonly result: T | undefined;
  /** Clears the last result and starts. */
  readonly start: (work: () => Promise<T>) => void;
  /** Clears the result. */
  readonly reset: () => void;
}

type State<T> = Pick<Task<T>, 'isBusy' | 'error' | 'result'>;

const idle = { isBusy: false, error: undefined, result: undefined };

/** One action at a time. The results of earlier actions, and of unmounted components, are ignored. */
export function useTask<T>(): Task<T> {
  const [state, setState] = useState<State<T>>(idle);
  const turn = useRef(0);
  useEffect(
    () => () => {
      turn.current += 1;
    },
    [],
  );
  return {
    ...state,
    start: (work) => {
      turn.current += 1;
      const mine = turn.current;
      const settle = (now: State<T>): void => {
        if (turn.current === mine) setState(now);
      };
      setState({ ...idle, isBusy: true });
      work().then(
        (result) => settle({ ...idle, result }),
        (error: unknown) => settle({ ...idle, error }),
      );
    },
    reset: () => {
      turn.current += 1;
      setState(idle);
    },
  };
}
