import { setTimeout as sleep } from 'node:timers/promises';

/** How long anything is waited for: far longer than it takes on the slowest machine, as a test is about what happens and not how soon. */
export const patienceMs = 120_000;

/** What is known of what is waited for; it is told when the wait was in vain. */
type Describe = () => unknown;

/**
 * Waits for something that must come to its end; if it does not, the error names it and says what is known. A test that only
 * times out as a whole does not tell where it was. What says something new, as a command with progress does, is given time anew.
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

/** Looks again and again until there is something to see. @returns what was seen; the error says what was seen last */
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
