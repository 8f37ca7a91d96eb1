import { useApp, useStdout } from 'ink';
import { type ReactElement, type ReactNode, useLayoutEffect, useRef } from 'react';
import type { Drawing, Job } from '../../host.ts';
import { Keyboard } from '../parts/keys.tsx';
import { SizeContext, useTerminalSize } from '../parts/use-size.ts';

/** What a terminal is told before something is drawn, and afterwards. */
interface Modes {
  readonly begin: string;
  readonly end: string;
}

/** Lines that are too long for the terminal after all, because it counts a character otherwise, are cut off instead of wrapped (DECAWM). */
export const inlineModes: Modes = { begin: '\u001b[?7l', end: '\u001b[?7h' };

/** The same on the alternate screen, from its corner on; ink's own way there would begin wherever the cursor was. */
export const fullModes: Modes = {
  begin: `\u001b[?1049h\u001b[H${inlineModes.begin}`,
  end: `${inlineModes.end}\u001b[?1049l`,
};

/** What every screen has: the keys, the size of the window, and that its job can be stopped and ended. */
export function Frame({
  modes,
  controlJob,
  onInterrupt,
  children,
}: {
  /** They were begun before the first frame. */
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
  // A terminal that is read key by key leaves these two to its program.
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
