import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The limit of every wait: far longer than necessary on the slowest machine, because a test checks that something happens, not how soon.
 */
export const patienceMs = 120_000;

/** The known state of a wait; the error contains it when the wait times out. */
type Describe = () => unknown;

/**
 * Waits for something that must end; otherwise the error names it and its known state. A test that only times out as a whole does not show
 * where it was. New state, such as the progress of a command, starts the limit again.
 */
export async function within<T>(what: string, work: Promise<T>, known: Describe = () => ''): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const wait = (before: string): void => {
      timer = setTimeout(() => {
        const now = textOf(known());
        if (now === before) reject(new Error(inVain(what, now)));
        else wait(now);
      }, patienceMs);
    };
    wait(textOf(known()));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Checks repeatedly until there is a value. @returns the value; the error contains the last state */
export async function until<T>(what: string, look: () => T | Promise<T>, known?: Describe): Promise<NonNullable<Exclude<T, false>>> {
  const began = performance.now();
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== null && seen !== false) return seen as NonNullable<Exclude<T, false>>;
    if (performance.now() - began > patienceMs) throw new Error(inVain(what, known === undefined ? seen : known()));
    await sleep(20);
  }
}

const textOf = (known: unknown): string => (typeof known === 'string' ? known : (JSON.stringify(known) ?? ''));

const inVain = (what: string, known: unknown): string => `${what} was waited for during ${patienceMs / 1000} s\n${textOf(known)}`;
