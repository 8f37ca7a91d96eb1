import { join } from 'node:path';
import { hasRevision } from '../../catalog/check-revision.ts';
import type { Companion } from '../../catalog/companions.ts';
import { findLoadable } from '../../catalog/selection/loadable-files.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { quote } from '../../kernel/files/relative-path.ts';
import { formatRef, type ModelRef } from '../../kernel/model-id.ts';
import { howToReplace, problemsFor, sentenceOf } from '../../protocol/describe/problems.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import type { ModelProblem } from '../../protocol/models/entries.ts';
import { isOtherLabel, splitGroups } from '../../staging/groups/copy-groups.ts';
import { holdsAll, othersThan, type WantedPart } from '../../staging/groups/plan-growth.ts';
import type { LocalCopy } from '../../staging/local-copy.ts';
import type { ModelStage } from './model-stage.ts';
import { isDraft, type NeededFile } from './needed-files.ts';
import { type SelectedPart, selectPart } from './select-part.ts';

/** Selects the part of the store's model for a reference. @throws SkulkError FILE_NOT_FOUND */
export const selectWanted = (
  { ref, options: { force, needs } }: Pick<ModelStage, 'ref' | 'options'>,
  whole: Manifest,
  pin: string | undefined,
): SelectedPart & WantedPart => ({ ...selectPart(ref, whole, pin, needs), whole, force });

/**
 * Whether a draft model is needed beside a named quantization and is not here. The store may have one, which is only fetched if it is
 * needed.
 * @param companions from the model's card
 */
export const mayLackDraft = (
  { selector }: ModelRef,
  { manifest: { files } }: SelectedPart,
  { needs = [], companions }: { readonly needs?: readonly NeededFile[] | undefined; readonly companions: readonly Companion[] },
): boolean => needs.includes('draft') && selector !== undefined && !companions.some(isDraft) && findLoadable(files).draft === undefined;

/** The part of a copy for a reference, whatever the store has by now; undefined if it is missing or damaged. */
export function findHere(
  ref: ModelRef,
  copy: LocalCopy,
  pin: string | undefined = copy.pin,
  needs?: readonly NeededFile[],
): SelectedPart | undefined {
  if (!hasRevision(ref, copy.manifest)) return undefined;
  try {
    const part = selectPart(ref, copy.manifest, pin, needs);
    if (ref.selector !== undefined && isNamedOtherwise(ref.selector, part, copy)) return undefined;
    return part.manifest.files.some(({ path }) => copy.changed.has(path)) ? undefined : part;
  } catch (error) {
    if (error instanceof SkulkError) return undefined;
    throw error;
  }
}

/**
 * Whether a label matches only because the copy lacks the quantization that it means: the copy has few files of its model, and the names
 * of its groups come from all files of the store.
 */
function isNamedOtherwise(selector: string, { group }: SelectedPart, { manifest, groups }: LocalCopy): boolean {
  const recorded = splitGroups(manifest, groups).find(({ files }) => files.some((path) => group.files.includes(path)));
  return recorded !== undefined && isOtherLabel(selector, recorded);
}

/** Warns that another file than the one in the card was selected. */
export function warnOfPin({ deps: { world }, ref: { modelId } }: ModelStage, { missingPin, group }: SelectedPart): void {
  if (missingPin === undefined) return;
  world.emit({
    type: 'warning',
    message: `the card of ${modelId} names ${quote(missingPin)}, which the model does not have`,
    hint: group.selector === null ? undefined : `using ${group.selector} instead`,
  });
}

/**
 * Warns that no program can load the selected part. It is staged anyway, because the user may want to repair it.
 * @returns its problems
 */
export function warnOfProblems(
  { deps: { world }, ref: { modelId } }: Pick<ModelStage, 'deps' | 'ref'>,
  problems: readonly ModelProblem[] | undefined,
  { selector }: Pick<SelectedPart['group'], 'selector'>,
): readonly ModelProblem[] {
  const found = problemsFor(problems, selector);
  const [first, ...more] = found;
  if (first === undefined) return found;
  const name = formatRef({ modelId, selector: first.selector ?? undefined });
  world.emit({
    type: 'warning',
    message: `no program can load ${name}: ${sentenceOf(first)}${more.length > 0 ? ` (and ${more.length} more)` : ''}`,
    hint: howToReplace(modelId),
  });
  return found;
}

/** The same for a copy about which no store said anything: by the heads of its own files. */
export async function warnOfOwnProblems(
  stage: Pick<ModelStage, 'deps' | 'ref' | 'path'>,
  { manifest: { files }, group }: Pick<SelectedPart, 'manifest' | 'group'>,
): Promise<readonly ModelProblem[]> {
  const { signal } = stage.deps.world;
  const { findContentProblems } = await import('../../catalog/contents/find-content-problems.ts');
  const { findUnloadable } = await import('../../catalog/contents/unloadable.ts');
  const onDisk = files.map(({ path, size }) => ({ path, size, absolute: join(stage.path, path) }));
  const found = findUnloadable(files, await findContentProblems(onDisk, signal));
  return warnOfProblems(
    stage,
    found.map((one) => ({ ...one, selector: one.selector ?? group.selector })),
    group,
  );
}

/** Whether a copy has the wanted part of the store's model, undamaged. */
export function isCurrent(copy: LocalCopy, wanted: WantedPart): boolean {
  if (!holdsAll(copy, wanted.manifest.files)) return false;
  // If it is the only part, it must match the whole model, because a model that lost a file has changed.
  return othersThan(wanted.group, copy).length > 0 || copy.manifest.digest === wanted.manifest.digest;
}

/** Whether a copy has its whole model from the store. Only then it can decide a choice without a selector. */
export const isWholeModel = ({ manifest, of }: LocalCopy): boolean => manifest.digest === of;
