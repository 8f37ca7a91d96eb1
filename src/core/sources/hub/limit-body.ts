import type { SilenceWatch } from './silence-watch.ts';

/** The limits of an answer's body. */
export interface BodyLimits {
  /** The origin that sends it. */
  readonly origin: string;
  readonly watchdog: SilenceWatch;
  /** The maximum number of bytes to deliver; further bytes of the server are ignored. */
  readonly maxBytes: number;
  /** Called with the number of bytes that have arrived; throws if there are too many. */
  readonly count: (bytes: number) => void;
  /** Called with the error that ended the body early; returns the error for its reader. */
  readonly fail: (error: unknown) => unknown;
}

/** The same answer, whose body ends with an error after too long a silence, or too many bytes. */
export function limitBody(response: Response, { origin, watchdog, maxBytes, count, fail }: BodyLimits): Response {
  if (response.body === null) return response;
  const reader = response.body.getReader();
  let received = 0;
  let isCancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      try {
        watchdog.expect(origin);
        const { done, value } = await reader.read();
        watchdog.rest();
        if (isCancelled) return;
        if (done) {
          watchdog.end();
          controller.close();
          return;
        }
        const left = maxBytes - received;
        received += value.length;
        count(value.length);
        controller.enqueue(value.length > left ? value.subarray(0, left) : value);
        if (received < maxBytes) return;
        // Some servers send more than requested; do not wait for the rest.
        watchdog.end();
        controller.close();
        if (received > maxBytes) await reader.cancel().catch(() => undefined);
      } catch (error) {
        if (isCancelled) return;
        controller.error(fail(error));
        await reader.cancel().catch(() => undefined);
      }
    },
    cancel: async (reason) => {
      isCancelled = true;
      watchdog.end();
      await reader.cancel(reason).catch(() => undefined);
    },
  });
  const { status, headers } = response;
  return new Response(body, { status, headers });
}
