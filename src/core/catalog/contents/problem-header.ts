import { decode } from '../../protocol/decode.ts';
import { type ModelProblem, modelProblem } from '../../protocol/models/entries.ts';
import { list } from '../../protocol/schema.ts';

const problemList = list(modelProblem);
/** The header with problems has at most this many bytes; further ones are left out. */
const maxHeaderLength = 4096;

/** The problems of a model as a header beside its manifest. Pure. */
export function formatProblems(problems: readonly ModelProblem[]): string {
  for (let count = problems.length; count > 0; count -= 1) {
    const text = encodeURIComponent(JSON.stringify(problems.slice(0, count)));
    if (text.length <= maxHeaderLength) return text;
  }
  return '';
}

/** Reads that header; an invalid one counts as empty. Pure. */
export function parseProblems(text: string): readonly ModelProblem[] {
  if (text === '' || text.length > maxHeaderLength) return [];
  try {
    return decode(problemList, JSON.parse(decodeURIComponent(text))) ?? [];
  } catch {
    return [];
  }
}
