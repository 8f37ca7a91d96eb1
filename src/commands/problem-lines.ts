import { sentence, type TextBlock } from '../cli/definition.ts';
import { formatRef, type ModelId } from '../core/kernel/model-id.ts';
import { howToReplace, sentenceOf } from '../core/protocol/describe/problems.ts';
import type { ModelProblem } from '../core/protocol/models/entries.ts';

/** Why no program can load a new model, and what to do, instead of the next command. */
export const unloadableLines = (problems: readonly ModelProblem[], modelId: string): readonly TextBlock[] => [
  ...problems.map((one) => sentence(`no program can load it: ${sentenceOf(one)}`)),
  { ...sentence(howToReplace(modelId)), aside: true },
];

/** For a list, one line for each model or quantization that no program can load. */
export const unloadableModels = (
  models: readonly { readonly model_id: ModelId; readonly problems?: readonly ModelProblem[] | undefined }[],
): readonly string[] =>
  models.flatMap(({ model_id: modelId, problems = [] }) =>
    [...Map.groupBy(problems, ({ selector }) => selector)].map(
      ([selector, [first]]) =>
        `no program can load ${formatRef({ modelId, selector: selector ?? undefined })}${first === undefined ? '' : `: ${sentenceOf(first)}`}`,
    ),
  );
