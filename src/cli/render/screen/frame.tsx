import { useApp, useStdout } from 'ink';
import { type ReactElement, type ReactNode, useLayoutEffect, useRef } from 'react';
import type { Drawing, Job } from '../../host.ts';
import { Keyboard } from '../parts/keys.tsx';
import { SizeContext, useTerminalSize } from '../parts/use-size.ts';

/** Control sequences for the terminal before and after drawing. */
interface Modes {
  readonly begin: string;
  readonly end: string;
}

/** Cuts off too long lines instead of wrapping them (DECAWM), because a terminal may count a character's width differently. */
export const inlineModes: Modes = { begin: '\u001b[?7l', end: '\u001b[?7h' };

/** The same on the alternate screen, from its top left corner; ink itself would begin at the current cursor position. */
export const fullModes: Modes = {
  begin: `\u001b[?1049h\u001b[H${inlineModes.begin}`,
  end: `${inlineModes.end}\u001b[?1049l`,
};

/** The common frame of every screen: keys, window size, suspension and end. */
export function Frame({
  modes,
  controlJob,
  onInterrupt,
  children,
}: {
  /** They were sent before the first frame. */
  readonly modes: Modes;
  readonly controlJob: (drawing: Drawing) => Job;
  readonly onInterrupt: () => void;
  readonly children: ReactNode;
}): ReactElement {
  const size = useTerminalSize();
  const { suspendTerminal } = useApp();
  const { stdout } = useStdout();
  const job = useRef<Job>(undefined);
  useLayoutEffect(() => {
    let suspension: ReturnType<typeof suspendTerminal> | undefined;
    job.current = controlJob({
      release: () => {
        suspension = suspendTerminal();
        stdout.write(modes.end);
      },
      resume: () => {
        stdout.write(modes.begin);
        void suspension?.then((suspended) => suspended.resume());
      },
    });
    return () => {
      job.current?.end();
      stdout.write(modes.end);
    };
  }, [modes, controlJob, suspendTerminal, stdout]);
  // In raw mode, the program itself must handle these two keys.
  const onUrgent = (key: string): boolean => {
    if (key === 'ctrl-c') onInterrupt();
    else if (key === 'ctrl-z') job.current?.stop();
    else return false;
    return true;
  };
  return (
    <Keyboard onUrgent={onUrgent}>
      <SizeContext value={size}>{children}</SizeContext>
    </Keyboard>
  );
}
