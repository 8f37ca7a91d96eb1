import { nearest } from './nearest.ts';
import type { Problem } from './problem.ts';

/** What is known of a file with problems. */
export interface ProblemSource {
  readonly path: string;
  /** The line of a key, from 1. */
  readonly lineOf: (keys: readonly string[]) => number | undefined;
  /** The possible keys of an object in it. */
  readonly knownKeysAt: (keys: readonly string[]) => readonly string[];
  /** The hint for a problem without a suggestion of its own. */
  readonly usualHint: string;
}

/** Problems of a file as one message, in the order of its lines. If there are several, each line ends with its own suggestion. Pure. */
export function describeProblems(
  problems: readonly Problem[],
  { path, lineOf, knownKeysAt, usualHint }: ProblemSource,
): { readonly message: string; readonly hint: string } {
  const described = problems
    .map((problem) => ({ problem, line: lineOf(problem.path), suggestion: suggestionFor(problem, knownKeysAt) }))
    .toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
  const isOnly = described.length === 1;
  const lines = described.map(({ problem, line, suggestion }) => {
    const place = line === undefined ? path : `${path}:${line}`;
    return `${place}: ${problem.path.join('.') || 'it'} ${problem.message}${isOnly || suggestion === undefined ? '' : ` (${suggestion})`}`;
  });
  return { message: lines.join('\n'), hint: (isOnly ? described[0]?.suggestion : undefined) ?? usualHint };
}

function suggestionFor({ path, unknownKey }: Problem, knownKeysAt: ProblemSource['knownKeysAt']): string | undefined {
  if (unknownKey === undefined) return undefined;
  const known = knownKeysAt(path.slice(0, -1));
  const suggestion = nearest(unknownKey, known);
  return suggestion === undefined ? `known keys: ${known.join(', ')}` : `did you mean "${suggestion}"?`;
}
