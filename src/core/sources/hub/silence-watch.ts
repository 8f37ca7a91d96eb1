import { SkulkError } from '../../kernel/errors.ts';
import { startDeadline } from '../../kernel/flow/deadline.ts';

/** Ends a request after too long a silence. */
export interface SilenceWatch {
  /** Aborted with HUB_UNREACHABLE after a silence, or with the reason of the given signal. */
  readonly signal: AbortSignal;
  /** The origin that was last expected to answer. */
  origin(): string;
  /** Data is expected from that origin now. */
  expect(origin: string): void;
  /** Data has arrived. */
  rest(): void;
  end(): void;
}

/**
 * Watches one request and its redirects.
 * @param silenceMs how long nothing may arrive, in milliseconds
 */
export function createSilenceWatch(
  { signal, silenceMs }: { readonly signal: AbortSignal; readonly silenceMs: number },
  firstOrigin: string,
): SilenceWatch {
  const controller = new AbortController();
  let origin = firstOrigin;
  let stopDeadline: (() => void) | undefined;
  const forward = (): void => controller.abort(signal.reason);
  if (signal.aborted) forward();
  else signal.addEventListener('abort', forward, { once: true });
  const rest = (): void => stopDeadline?.();
  const onSilence = (): void =>
    controller.abort(new SkulkError('HUB_UNREACHABLE', `${origin} sent nothing for ${silenceMs / 1000} s`, { hint: 'try again' }));
  return {
    signal: controller.signal,
    origin: () => origin,
    expect: (from) => {
      origin = from;
      rest();
      stopDeadline = startDeadline(onSilence, silenceMs);
    },
    rest,
    end: () => {
      rest();
      signal.removeEventListener('abort', forward);
    },
  };
}
