import type { FileKind } from './file-kind.ts';
import type { Group } from './groups.ts';
import { type Problem, problems } from './problems.ts';
import type { SelectionRequest } from './select-files.ts';

/** Which weights of a repo come into question. */
export interface Formats {
  readonly gguf: boolean;
  /** Safetensors, or what stands for them in a repo that has none. */
  readonly others: boolean;
}

/**
 * GGUF or safetensors, where a repo has both: GGUF when its name says GGUF, something of it is named, or the card pins one; else
 * safetensors. `--weights` and `--whole` say otherwise.
 */
export function chooseFormats(
  { modelId = '', selector, pin, weights, whole = false }: SelectionRequest,
  { kinds, groups }: { readonly kinds: ReadonlyMap<string, FileKind>; readonly groups: readonly Group[] },
): Formats | { readonly problem: Problem } {
  const hasSafetensors = [...kinds.values()].includes('safetensors');
  // A GGUF file that is no weights may be named too.
  const hasGguf = groups.length > 0 || (selector !== undefined && /\.gguf/i.test(selector) && kinds.has(selector));
  if (selector !== undefined && weights === 'safetensors') return { problem: problems.selectorOfSafetensors(selector) };
  if (weights === 'gguf' && !hasGguf) return { problem: problems.noSuchWeights('gguf') };
  if (weights === 'safetensors' && !hasSafetensors) return { problem: problems.noSuchWeights('safetensors') };
  if (selector !== undefined && !hasGguf) return { problem: problems.noSuchSelection(selector, groups) };
  if (whole || weights === 'all') return { gguf: hasGguf, others: true };
  if (weights !== undefined) return { gguf: weights === 'gguf', others: weights !== 'gguf' };
  const isNamed = selector !== undefined || pin !== undefined || /gguf/i.test(modelId);
  const gguf = hasGguf && (isNamed || !hasSafetensors);
  return { gguf, others: !gguf };
}
