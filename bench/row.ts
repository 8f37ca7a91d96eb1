import { alternate, type Sample, type Side, summarize } from './measure.ts';
import type { World } from './world.ts';

/** The options of a benchmark. */
export interface BenchContext {
  /** An empty directory, removed after the row. */
  readonly world: World;
  /** Ends everything within two minutes: smaller models, fewer rounds. */
  readonly isQuick: boolean;
  /** The number of runs of each side after a warm-up. */
  readonly rounds: number;
  /** Prints a text after the table of results. */
  readonly show: (text: string) => void;
}

/** Median, minimum and maximum. */
export type Spread = ReturnType<typeof summarize>;

/** One line of the result. */
export interface Measured {
  readonly name: string;
  readonly unit: 's' | 'ms' | 'MiB' | 'bytes' | 'ratio';
  readonly value: Spread;
  /** The peer; absent if there is none, or the program is not installed. */
  readonly peer?: { readonly name: string; readonly value: Spread };
  /** For each round: our value divided by the peer's, or the value itself if the goal is a number. */
  readonly ratio?: Spread;
  readonly goal: string;
  /** By the median; null without a peer. */
  readonly isMet: boolean | null;
  /** Processor seconds per GiB. */
  readonly cpuPerGib?: Readonly<Record<string, number>>;
  readonly note?: string;
}

/** Measures one goal. */
export interface Row {
  readonly id: string;
  /** It takes long, or needs more than other rows: it runs only if `--only` names it. */
  readonly isOnlyByName?: boolean;
  readonly run: (context: BenchContext) => Promise<readonly Measured[]>;
}

/** Compares our side with a peer, in turn, round by round. */
export async function compare(
  context: Pick<BenchContext, 'rounds'>,
  { name, ours, theirs, most, bytes }: { name: string; ours: Side; theirs: Side; most: number; bytes?: number },
): Promise<Measured> {
  const samples = await alternate([ours, theirs], context.rounds);
  const [own, other] = [samples.get(ours.label) ?? [], samples.get(theirs.label) ?? []];
  const seconds = (list: readonly Sample[]): readonly number[] => list.map((sample) => sample.seconds);
  const ratio = summarize(seconds(own).map((value, index) => value / (seconds(other)[index] ?? Number.NaN)));
  const gib = (bytes ?? 0) / 1024 ** 3;
  const per = (list: readonly Sample[], of: 'clientCpu' | 'serverCpu'): number => summarize(list.map((sample) => sample[of])).median / gib;
  return {
    name,
    unit: 's',
    value: summarize(seconds(own)),
    peer: { name: theirs.label, value: summarize(seconds(other)) },
    ratio,
    goal: `<= ${Number(most.toFixed(2))}`,
    isMet: ratio.median <= most,
    ...(bytes !== undefined && {
      cpuPerGib: {
        'ours, client': per(own, 'clientCpu'),
        'ours, server': per(own, 'serverCpu'),
        'theirs, client': per(other, 'clientCpu'),
        'theirs, server': per(other, 'serverCpu'),
      },
    }),
  };
}

/** A row whose peer is not installed. */
export const withoutPeer = (name: string, program: string, goal: string): Measured => ({
  name,
  unit: 's',
  value: { median: Number.NaN, min: Number.NaN, max: Number.NaN },
  goal,
  isMet: null,
  note: `${program} is not installed`,
});
