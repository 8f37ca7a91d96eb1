import { fold } from '../../catalog/selection/groups.ts';
import { type GroupFiles, namesGroup } from './copy-groups.ts';

/**
 * The quantization of a copy that a selector names; undefined when it is not here.
 * @param parts the quantizations of the copy one by one
 */
export function findStagedGroup<G extends GroupFiles>(parts: readonly G[], selector: string): G | undefined {
  const named = parts.filter((one) => one.selector !== null);
  return named.find((one) => fold(one.selector ?? '') === fold(selector)) ?? named.find((one) => namesGroup(selector, one));
}
