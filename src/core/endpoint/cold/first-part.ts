import { startDeadline } from '../../kernel/flow/deadline.ts';
import type { After } from './bytes/hide-stalls.ts';

/**
 * Begins to read, and waits a little for the first part, so that what fails at once can be refused in words.
 * @returns all parts; the first may still be on its way
 * @throws what the first part failed with; what `onLate` throws when it has not come after so many milliseconds
 */
export async function firstPart(
  bytes: AsyncGenerator<Uint8Array>,
  { ms, after = startDeadline, onLate }: { readonly ms: number; readonly after?: After; readonly onLate: () => void },
): Promise<AsyncGenerator<Uint8Array>> {
  const first = bytes.next();
  first.catch(() => undefined);
  const isLate = await new Promise<boolean>((resolve, reject) => {
    const cancel = after(() => resolve(true), ms);
    first.then(
      () => {
        cancel();
        resolve(false);
      },
      (error: unknown) => {
        cancel();
        reject(error);
      },
    );
  });
  try {
    if (isLate) onLate();
  } catch (error) {
    void bytes.return(undefined).catch(() => undefined);
    throw error;
  }
  return joined(first, bytes);
}

async function* joined(first: Promise<IteratorResult<Uint8Array>>, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    const { done, value } = await first;
    if (done !== true) yield value;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}
