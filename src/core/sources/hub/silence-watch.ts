import { SkulkError } from '../../kernel/errors.ts';
import { startDeadline } from '../../kernel/flow/deadline.ts';

/** Ends a request when nothing comes for too long. */
export interface SilenceWatch {
  /** Aborted with HUB_UNREACHABLE after a silence, or with the reason of the signal that it was made with. */
  readonly signal: AbortSignal;
  /** Whoever was waited for last. */
  origin(): string;
  /** Something must come from there now. */
  expect(origin: string): void;
  /** It came. */
  rest(): void;
  end(): void;
}

/**
 * Watches one request and its redirects.
 * @param silenceMs how long nothing may come, in milliseconds
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
