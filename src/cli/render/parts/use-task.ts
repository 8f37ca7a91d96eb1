import { useEffect, useRef, useState } from 'react';

/** Something that is done because a person wants it. */
export interface Task<T> {
  readonly isBusy: boolean;
  readonly error: unknown;
  readonly result: T | undefined;
  /** Forgets the last outcome and begins. */
  readonly start: (work: () => Promise<T>) => void;
  /** Forgets the outcome. */
  readonly reset: () => void;
}

type State<T> = Pick<Task<T>, 'isBusy' | 'error' | 'result'>;

const idle = { isBusy: false, error: undefined, result: undefined };

/** One thing at a time. Of what was begun before, or by what is gone, nobody hears. */
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
