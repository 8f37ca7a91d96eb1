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
 * safetensors. `--weights` and `--whole` say otherwise, and `--exclude` of all of one leaves the other.
 */
export function chooseFormats(
  { modelId = '', selector, pin, include, weights, whole = false }: SelectionRequest,
  {
    kinds,
    groups,
    isExcluded,
  }: { readonly kinds: ReadonlyMap<string, FileKind>; readonly groups: readonly Group[]; readonly isExcluded: (path: string) => boolean },
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
  const isOffered = (kind: FileKind): boolean => [...kinds].some(([path, one]) => one === kind && !isExcluded(path));
  // What the patterns leave out is no choice.
  const offersGguf = selector !== undefined || include !== undefined || !hasGguf || isOffered('gguf') || !isOffered('safetensors');
  const gguf = hasGguf && offersGguf && (isNamed || !hasSafetensors || !isOffered('safetensors'));
  return { gguf, others: !gguf };
}
