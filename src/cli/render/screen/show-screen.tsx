import { render } from 'ink';
import type { ReactNode } from 'react';
import { SkulkError } from '../../../core/kernel/errors.ts';
import type { Host } from '../../host.ts';
import type { Terminal } from '../../terminal.ts';
import { ColorContext } from '../parts/words.tsx';
import { Frame, fullModes, inlineModes } from './frame.tsx';

/** Where a screen is drawn, and how. */
export interface Canvas {
  readonly host: Host;
  readonly terminal: Terminal;
  /** Ends the screen; its reason is what `showScreen` rejects with. */
  readonly signal: AbortSignal;
  readonly hasColor: boolean;
}

/** How often it is drawn at most; a key is answered at once. */
const framesPerSecond = 10;

/**
 * Draws on the terminal until somebody leaves, and gives it back as it was: also when the process is told to end, when it fails, and
 * while its job is stopped.
 * @param isFull whether all of the window is drawn on, and what was there comes back; otherwise it is drawn below, and stays
 * @param atInterrupt what Ctrl-C leaves it with
 * @returns what it was left with
 */
export async function showScreen<T>(
  draw: (leave: (value: T) => void) => ReactNode,
  { host, terminal, signal, hasColor }: Canvas,
  { isFull, atInterrupt }: { readonly isFull: boolean; readonly atInterrupt: T },
): Promise<T> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const stop = (): void => reject(signal.reason);
  // A terminal that is gone can be read no more.
  const lose = (): void => reject(new SkulkError('TERMINATED', 'the terminal was closed'));
  signal.addEventListener('abort', stop, { once: true });
  host.stdin.on('error', lose).on('end', lose);
  const modes = isFull ? fullModes : inlineModes;
  host.stdout.write(modes.begin);
  const instance = render(
    <ColorContext value={hasColor}>
      <Frame modes={modes} controlJob={host.controlJob} onInterrupt={() => resolve(atInterrupt)}>
        {draw(resolve)}
      </Frame>
    </ColorContext>,
    {
      stdin: host.stdin,
      stdout: host.stdout,
      stderr: host.stderr,
      incrementalRendering: true,
      maxFps: framesPerSecond,
      // It is known to be a terminal; in the environment of a CI ink would draw nothing.
      interactive: true,
      exitOnCtrlC: false,
      patchConsole: false,
    },
  );
  const free = terminal.occupy(() => instance.unmount());
  const ended = instance.waitUntilExit();
  try {
    return await Promise.race([promise, ended.then(() => promise)]);
  } finally {
    instance.unmount();
    // What a component failed for is thrown above.
    await ended.catch(() => undefined);
    free();
    signal.removeEventListener('abort', stop);
    host.stdin.off('error', lose).off('end', lose);
  }
}
