import { fold } from '../../catalog/selection/groups.ts';
import { type GroupFiles, isOtherLabel, namesGroup } from './copy-groups.ts';

/**
 * Finds the quantization of a copy that a selector names; undefined if it is not in the copy. A label never finds a file that is named by
 * its path, such as a draft model.
 * @param parts the single quantizations of the copy
 */
export function findStagedGroup<G extends GroupFiles>(parts: readonly G[], selector: string): G | undefined {
  const named = parts.filter((one) => one.selector !== null);
  return (
    named.find((one) => fold(one.selector ?? '') === fold(selector)) ??
    named.find((one) => !isOtherLabel(selector, one) && namesGroup(selector, one))
  );
}
