import type { DownloadPlan, PlannedFile } from '../../protocol/models/hub-offer.ts';
import type { SizedFile } from './groups.ts';
import type { Choice, Selection } from './select-files.ts';

/** A selection in the format for programs and users. */
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
