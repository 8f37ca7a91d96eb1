import { SkulkError } from '../../kernel/errors.ts';
import { whyUnmounted } from '../../kernel/machine/known-mounts.ts';
import { requireOwnPlace, requireReplaceable } from '../../staging/own-copy.ts';
import { refuseStoreAsCache } from '../../staging/prepare-root.ts';
import { restoreCopies } from '../../staging/sweep-trash.ts';
import { requireDistinctNames } from '../../transfer/name-folding.ts';
import type { StoreAnswer } from './ask/store-answer.ts';
import type { ModelStage } from './model-stage.ts';
import { requireNeeded } from './needed-files.ts';
import { choosePart } from './select-part.ts';

/**
 * Checks the staging directory before any request, and restores what an interrupted replacement left in the trash.
 * @throws SkulkError CONFIG if staging is off or the directory is a store, STORE_UNREACHABLE if its disk is not mounted, CONFLICT if
 * something else has the path of the copy
 */
export async function checkStagingPlace({ deps, ref, options, layout }: ModelStage): Promise<void> {
  const { config, world } = deps;
  const { stagingEnabled, storePath } = config.settings;
  if (!stagingEnabled.value)
    throw new SkulkError('CONFIG', 'staging is disabled on this node (model_store.staging.enabled is false)', {
      hint: `set it to true in ${config.file ?? 'the configuration'}, or under node_overrides for this node`,
    });
  const unmounted = await whyUnmounted(config.skulkHome, layout.root);
  if (unmounted !== undefined) throw unmounted;
  if (!options.dryRun) await restoreCopies(layout, world.signal);
  if (options.offline) return;
  await requireOwnPlace(layout, ref.modelId).catch(async (error: unknown) => {
    // In a store, the setting is wrong, not the content.
    await refuseStoreAsCache(layout, storePath.value);
    throw error;
  });
}

/**
 * Checks that the store's version may replace the existing copy.
 * @throws SkulkError CONFIG if the directory is a store, CONFLICT if something else has the path, FILE_NOT_FOUND if a needed file is
 * missing, BAD_PATH if the disk treats two names as the same
 */
export async function checkReplaceable({ deps, ref, card, layout, options }: ModelStage, answer: StoreAnswer): Promise<void> {
  await refuseStoreAsCache(layout, deps.config.settings.storePath.value);
  await requireReplaceable(layout, ref.modelId, deps.world.signal);
  if (answer.state !== 'manifest' && answer.state !== 'listed') return;
  const all = answer.state === 'manifest' ? answer.manifest.files : answer.model.files.map((path) => ({ path, size: 0 }));
  const { files } = choosePart(ref, all, answer.pin, options.needs);
  const paths = files.map(({ path }) => path);
  requireNeeded(ref, options.needs, { files, companions: card?.companions ?? answer.companions });
  await requireDistinctNames(layout.root, { paths, of: ref.modelId });
}
