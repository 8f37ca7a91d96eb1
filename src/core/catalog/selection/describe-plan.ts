import type { SizedFile } from './groups.ts';
import type { ReasonCode } from './reasons.ts';
import type { Choice, Selection } from './select-files.ts';

/** A file of a repo, and why a download takes or leaves it; size in bytes. */
export interface PlannedFile {
  readonly path: string;
  readonly size: number;
  readonly why: ReasonCode;
  /** The same for people. */
  readonly reason: string;
}

/** What a download would take and leave, the largest first. */
export interface DownloadPlan {
  /** What a program loads of the quantization that is taken; null where none is. */
  readonly gguf_file: string | null;
  readonly taken: readonly PlannedFile[];
  readonly left: readonly PlannedFile[];
  /** What the model's card names and the repo does not have; null when it has it, or the card names nothing. */
  readonly missing_pin: string | null;
}

/** A selection as programs and people see it. */
export const describePlan = ({ taken, left, group, warnings }: Selection<SizedFile>): DownloadPlan => ({
  gguf_file: group?.ggufFile ?? null,
  taken: describeChoices(taken),
  left: describeChoices(left),
  missing_pin: warnings[0]?.pin ?? null,
});

const describeChoices = (choices: readonly Choice<SizedFile>[]): readonly PlannedFile[] =>
  choices
    .map(({ file: { path, size }, why }) => ({ path, size, why: why.code, reason: why.text }))
    .toSorted((a, b) => b.size - a.size || (a.path < b.path ? -1 : 1));
