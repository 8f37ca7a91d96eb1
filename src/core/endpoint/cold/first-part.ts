import { startDeadline } from '../../kernel/flow/deadline.ts';
import type { After } from './bytes/hide-stalls.ts';

/**
 * Starts reading, and waits a little for the first part, so that an immediate failure can be reported properly.
 * @returns all parts; the first may still be on its way
 * @throws the error of the first part; the error of `onLate` if it has not arrived in time
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
