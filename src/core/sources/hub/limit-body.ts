import { SkulkError } from '../../kernel/errors.ts';
import type { SilenceWatch } from './silence-watch.ts';

/** The limits of an answer's body. */
export interface BodyLimits {
  /** The origin that sends it. */
  readonly origin: string;
  readonly watchdog: SilenceWatch;
  /** The maximum number of bytes to deliver; further bytes of the server are ignored. */
  readonly maxBytes: number;
  /** A larger JSON answer is rejected. */
  readonly maxJsonBytes: number;
  /** Called with the error that ended the body early; returns the error for its reader. */
  readonly fail: (error: unknown) => unknown;
}

/** The same answer, whose body ends with an error after too long a silence, or too many bytes. */
export function limitBody(response: Response, { origin, watchdog, maxBytes, maxJsonBytes, fail }: BodyLimits): Response {
  if (response.body === null) return response;
  const isJson = (response.headers.get('content-type') ?? '').startsWith('application/json');
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
        if (isJson && received > maxJsonBytes) throw tooMuchJson(origin, maxJsonBytes);
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

const tooMuchJson = (origin: string, maxJsonBytes: number): SkulkError =>
  new SkulkError('HUB_REFUSED', `${origin} answered with more than ${maxJsonBytes} bytes of JSON`, { hint: 'check HF_ENDPOINT' });
