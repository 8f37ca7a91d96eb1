import type { ModelProblem } from '../models/entries.ts';

type Named = Pick<ModelProblem, 'path' | 'reason'>;

/** A problem as a sentence without a period: `"model.safetensors" is empty`. Pure. */
export const sentenceOf = ({ path, reason }: Named): string =>
  reason.startsWith('it ') ? `${JSON.stringify(path)}${reason.slice(2)}` : `${JSON.stringify(path)}: ${reason}`;

/** The problems of one quantization, or of a whole model without a selector. A problem without a selector concerns all of it. Pure. */
export const problemsFor = (problems: readonly ModelProblem[] | undefined, selector: string | null | undefined): readonly ModelProblem[] =>
  (problems ?? []).filter((one) => one.selector === null || (selector != null && one.selector.toLowerCase() === selector.toLowerCase()));

/** What to do about a model that no program can load, as the hint of a message. Pure. */
export const howToReplace = (modelId: string): string =>
  `\`skulk verify ${modelId}\` lists the files; replace them with \`skulk add PATH --as ${modelId} --force\`, or download the model again`;
