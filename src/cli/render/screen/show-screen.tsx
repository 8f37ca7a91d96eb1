import { render } from 'ink';
import type { ReactNode } from 'react';
import { SkulkError } from '../../../core/kernel/errors.ts';
import type { Host } from '../../host.ts';
import type { Terminal } from '../../terminal.ts';
import { ColorContext } from '../parts/words.tsx';
import { Frame, fullModes, inlineModes } from './frame.tsx';

/** Where and how a screen is drawn. */
export interface Canvas {
  readonly host: Host;
  readonly terminal: Terminal;
  /** Ends the screen; `showScreen` rejects with its reason. */
  readonly signal: AbortSignal;
  readonly hasColor: boolean;
}

/** The maximum frame rate; a key is handled at once. */
const framesPerSecond = 10;

/**
 * Draws on the terminal until the user leaves, and then restores it: also when the process is asked to end, when it fails, and while its
 * job is suspended.
 * @param isFull whether to use the whole window and restore its content after that; otherwise it draws below the prompt, and the last
 * frame stays
 * @param atInterrupt the result after Ctrl-C
 * @returns the result
 */
export async function showScreen<T>(
  draw: (leave: (value: T) => void) => ReactNode,
  { host, terminal, signal, hasColor }: Canvas,
  { isFull, atInterrupt }: { readonly isFull: boolean; readonly atInterrupt: T },
): Promise<T> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const stop = (): void => reject(signal.reason);
  // A closed terminal cannot be read any more.
  const lose = (): void => reject(new SkulkError('TERMINATED', 'the terminal was closed'));
  signal.addEventListener('abort', stop, { once: true });
  host.stdin.on('error', lose).on('end', lose);
  const modes = isFull ? fullModes : inlineModes;
  // Before the first frame: ink would do it after, and a key in between would be echoed, or interrupt the process.
  host.stdin.setRawMode?.(true);
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
      // It is known to be a terminal; otherwise ink would draw nothing in a CI environment.
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
    // An error of a component is thrown above.
    await ended.catch(() => undefined);
    host.stdin.setRawMode?.(false);
    free();
    signal.removeEventListener('abort', stop);
    host.stdin.off('error', lose).off('end', lose);
  }
}
