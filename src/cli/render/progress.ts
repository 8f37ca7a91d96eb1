import type { Emit, ProgressEvent, SkulkEvent } from '../../core/kernel/flow/events.ts';
import { createTransferRate, type TransferRate } from '../../core/kernel/flow/transfer-rate.ts';
import type { Terminal } from '../terminal.ts';
import type { Bars } from './bars.ts';
import { describeProgress, type Speed } from './describe-progress.ts';

/** Shows events on stderr while a command runs. */
export interface Reporter {
  readonly emit: Emit;
  /** Ends the bars, so that further output starts on a new line. */
  stop(): void;
}

/** What the user wants to see. */
export interface ReporterOptions {
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly progress: boolean;
  /** Milliseconds of a monotonic clock. */
  readonly clock?: () => number;
}

const lineEveryMs = 3_000;

interface Track {
  rate: TransferRate;
  lastShown: number;
  latest: ProgressEvent;
}

/** Makes a reporter: bars on a terminal, a line every few seconds elsewhere, only warnings if quiet. */
export function makeReporter(terminal: Terminal, { quiet, verbose, progress, clock = () => performance.now() }: ReporterOptions): Reporter {
  const tracks = new Map<string, Track>();
  let bars: Bars | undefined;
  let loading = false;
  let stopped = false;
  const say = (line: string): void => (bars === undefined ? terminal.say(line) : bars.log(terminal.present(line)));

  const showOnBars = (): void => {
    if (bars !== undefined) for (const [key, track] of tracks) bars.update(key, track.latest, speedOf(track, clock()));
    if (bars !== undefined || loading) return;
    loading = true;
    // The package for bars is only loaded on a terminal.
    void import('./bars.ts').then(({ makeBars }) => {
      if (stopped) return;
      bars = makeBars(terminal.stderr);
      showOnBars();
    });
  };

  const onProgress = (event: ProgressEvent): void => {
    if (quiet || !progress) return;
    const key = `${event.doing} ${event.subject}`;
    const now = clock();
    const known = tracks.get(key);
    const track = known ?? { rate: createTransferRate(), lastShown: now, latest: event };
    const wasComplete = known !== undefined && isComplete(known.latest);
    // Existing data is counted in a moment, and the rest arrives at another rate.
    if (event.bytesAtHand !== track.latest.bytesAtHand) track.rate = createTransferRate();
    track.rate.add(event.bytesDone, now);
    track.latest = event;
    tracks.set(key, track);
    if (terminal.stderrIsTerminal) {
      showOnBars();
      return;
    }
    if (known !== undefined && now - track.lastShown < lineEveryMs && (wasComplete || !isComplete(event))) return;
    track.lastShown = now;
    terminal.say(describeProgress(event, speedOf(track, now)));
  };

  const emit = (event: SkulkEvent): void => {
    if (event.type === 'progress') {
      onProgress(event);
      return;
    }
    if (event.type !== 'warning' && (quiet || (event.type === 'note' && !verbose))) return;
    say(event.type === 'warning' ? `skulk: warning: ${event.message}` : event.message);
    if (event.type === 'warning' && event.hint !== undefined) say(`hint: ${event.hint}`);
  };

  const stop = (): void => {
    stopped = true;
    bars?.stop();
    bars = undefined;
  };
  return { emit, stop };
}

const isComplete = ({ bytesDone, bytesTotal }: ProgressEvent): boolean => bytesDone >= bytesTotal;

const speedOf = ({ rate, latest: { bytesDone, bytesTotal } }: Track, now: number): Speed => ({
  bytesPerSecond: rate.perSecond(now),
  secondsLeft: rate.secondsLeft(bytesTotal - bytesDone, now),
});
