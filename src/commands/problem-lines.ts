import { aside, type TextBlock } from '../cli/definition.ts';
import { howToReplace, sentenceOf } from '../core/protocol/describe/problems.ts';
import type { ModelProblem } from '../core/protocol/models/entries.ts';

/** Why no program can load a new model, and what to do, instead of the next command. */
export const unloadableLines = (problems: readonly ModelProblem[], modelId: string): readonly TextBlock[] => [
  ...problems.map((one) => `no program can load it: ${sentenceOf(one)}`),
  aside(howToReplace(modelId)),
];
