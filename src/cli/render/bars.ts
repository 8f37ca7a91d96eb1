import { MultiBar, type SingleBar } from 'cli-progress';
import type { ProgressEvent } from '../../core/kernel/flow/events.ts';
import { formatBytes } from '../../core/kernel/units.ts';
import type { HostOutput } from '../host.ts';
import { safeCell } from '../safe-text.ts';
import { formatSeconds, type Speed } from './describe-progress.ts';
import { type BarParts, fitBar } from './fit-bar.ts';

/** Progress bars on a terminal, one for each piece of work. */
export interface Bars {
  update(key: string, event: ProgressEvent, speed: Speed): void;
  /** Writes a line above the bars. */
  log(line: string): void;
  stop(): void;
}

/** Makes bars on a terminal; they are redrawn at most ten times a second. */
export function makeBars(stream: HostOutput): Bars {
  const multi = new MultiBar({
    stream,
    format: (_, { progress }, payload) => fitBar({ ...(payload as Omit<BarParts, 'done'>), done: progress }, stream.columns),
    fps: 10,
    // The shell handles signals.
    gracefulExit: false,
    hideCursor: false,
    emptyOnZero: false,
  });
  const bars = new Map<string, SingleBar>();
  return {
    update: (key, event, { bytesPerSecond, secondsLeft }) => {
      const { bytesDone, bytesTotal } = event;
      const payload: Omit<BarParts, 'done'> = {
        label: safeCell(key),
        amount: `${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`,
        rate: bytesPerSecond === null ? '' : `${formatBytes(bytesPerSecond)}/s`,
        left: secondsLeft === null || bytesDone >= bytesTotal ? '' : `${formatSeconds(secondsLeft)} left`,
      };
      const bar = bars.get(key);
      // A piece of work without bytes is complete when it begins.
      const [done, total] = bytesTotal === 0 ? [1, 1] : [bytesDone, bytesTotal];
      if (bar === undefined) bars.set(key, multi.create(total, done, payload));
      else {
        if (bar.getTotal() !== total) bar.setTotal(total);
        bar.update(done, payload);
      }
    },
    log: (line) => multi.log(`${line}\n`),
    stop: () => multi.stop(),
  };
}
