import { hasRevision } from '../../catalog/check-revision.ts';
import type { Companion } from '../../catalog/companions.ts';
import { findLoadable } from '../../catalog/selection/loadable-files.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { quote } from '../../kernel/files/relative-path.ts';
import type { ModelRef } from '../../kernel/model-id.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import { holdsAll, othersThan, type WantedPart } from '../../staging/groups/plan-growth.ts';
import type { LocalCopy } from '../../staging/local-copy.ts';
import type { ModelStage } from './model-stage.ts';
import { isDraft, type NeededFile } from './needed-files.ts';
import { type SelectedPart, selectPart } from './select-part.ts';

/** What a reference names of the model that the store has. @throws SkulkError FILE_NOT_FOUND */
export const selectWanted = (
  { ref, options: { force, needs } }: Pick<ModelStage, 'ref' | 'options'>,
  whole: Manifest,
  pin: string | undefined,
): SelectedPart & WantedPart => ({ ...selectPart(ref, whole, pin, needs), whole, force });

/**
 * Whether a draft model is needed beside a named quantization and is not here: the store may have one, which comes only where it is needed.
 * @param companions what the model's card names
 */
export const mayLackDraft = (
  { selector }: ModelRef,
  { manifest: { files } }: SelectedPart,
  { needs = [], companions }: { readonly needs?: readonly NeededFile[] | undefined; readonly companions: readonly Companion[] },
): boolean => needs.includes('draft') && selector !== undefined && !companions.some(isDraft) && findLoadable(files).draft === undefined;

/** What a reference names of a copy, of whatever the store has by now; undefined when that is not here, or damaged. */
export function findHere(
  ref: ModelRef,
  copy: LocalCopy,
  pin: string | undefined = copy.pin,
  needs?: readonly NeededFile[],
): SelectedPart | undefined {
  if (!hasRevision(ref, copy.manifest)) return undefined;
  try {
    const part = selectPart(ref, copy.manifest, pin, needs);
    return part.manifest.files.some(({ path }) => copy.changed.has(path)) ? undefined : part;
  } catch (error) {
    if (error instanceof SkulkError) return undefined;
    throw error;
  }
}

/** Says that something else was taken than what the card names. */
export function warnOfPin({ deps: { world }, ref: { modelId } }: ModelStage, { missingPin, group }: SelectedPart): void {
  if (missingPin === undefined) return;
  world.emit({
    type: 'warning',
    message: `the card of ${modelId} names ${quote(missingPin)}, which the model does not have`,
    hint: group.selector === null ? undefined : `using ${group.selector} instead`,
  });
}

/** Whether a copy has, undamaged, what the store has of what a reference names. */
export function isCurrent(copy: LocalCopy, wanted: WantedPart): boolean {
  if (!holdsAll(copy, wanted.manifest.files)) return false;
  // Alone it has nothing more either, as a model that lost a file has changed.
  return othersThan(wanted.group, copy).length > 0 || copy.manifest.digest === wanted.manifest.digest;
}

/** Whether a copy has all that its model has in the store, so that it tells what is chosen when nothing is named. */
export const isWholeModel = ({ manifest, of }: LocalCopy): boolean => manifest.digest === of;
