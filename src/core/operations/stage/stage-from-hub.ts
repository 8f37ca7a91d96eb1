import { join } from 'node:path';
import type { Card } from '../../catalog/card-table.ts';
import { describeProblems, findContentProblems } from '../../catalog/contents/find-content-problems.ts';
import { withGgufKinds } from '../../catalog/contents/gguf-kind.ts';
import { makeManifest } from '../../catalog/manifest.ts';
import { selectionOf, type WantedFiles } from '../../catalog/selection/wanted-files.ts';
import { withSideKinds } from '../../catalog/side-kinds.ts';
import type { Deps } from '../../connect/deps.ts';
import { openHub } from '../../connect/open-hub.ts';
import type { ModelRef } from '../../kernel/model-id.ts';
import type { HeldLock } from '../../kernel/process/lock.ts';
import { fetchPlanned } from '../../sources/fetch-planned.ts';
import { planFetch } from '../../sources/plan-fetch.ts';
import { planGrowth } from '../../staging/groups/plan-growth.ts';
import { copyPath, incomingCopy, type StagingLayout } from '../../staging/layout.ts';
import { readLocalCopy } from '../../staging/local-copy.ts';
import { publishCopy } from '../../staging/publish-copy.ts';
import { requireDistinctNames } from '../../transfer/name-folding.ts';
import type { RateLimiter } from '../../transfer/rate-limiter.ts';
import { enterWorkPlace } from '../../transfer/work-place.ts';
import { type NeededFile, requireNeeded } from './needed-files.ts';
import { type SelectedPart, selectPart } from './select-part.ts';

/**
 * Builds a staged copy directly from Hugging Face, verified like in a store. The caller holds the copy's lock.
 * @throws SkulkError the Hub's errors, NO_SPACE, INTEGRITY
 */
export async function stageFromHub(
  deps: Deps,
  ref: ModelRef,
  {
    card,
    layout,
    lock,
    connections,
    wanted,
    needs,
    force,
    limiter,
  }: {
    /** The model's card on this machine. */
    readonly card: Card | undefined;
    readonly layout: StagingLayout;
    readonly lock: Pick<HeldLock, 'assertHeld'>;
    readonly connections: number;
    readonly wanted: WantedFiles;
    readonly needs?: readonly NeededFile[];
    /** Fetch everything again, even if it is here. */
    readonly force: boolean;
    readonly limiter: RateLimiter;
  },
): Promise<{ readonly part: SelectedPart; readonly bytesTransferred: number }> {
  const { modelId, revision = 'main', selector } = ref;
  const { world } = deps;
  const { signal, emit } = world;
  using opened = await openHub(deps, { connections });
  const { hub } = opened;
  const listing = await hub.list({ modelId, revision }, signal);
  const plan = planFetch(listing, { source: hub, request: selectionOf({ ...wanted, selector }, card?.ggufFile), present: undefined });
  for (const message of plan.warnings) emit({ type: 'warning', message });
  const paths = plan.files.map(({ path }) => path);
  requireNeeded({ modelId, ...(selector !== undefined && { selector }) }, needs, { files: plan.files, companions: card?.companions ?? [] });
  await requireDistinctNames(layout.root, { paths, of: modelId });
  const place = incomingCopy(layout, modelId);
  await enterWorkPlace(place, paths);
  const local = await readLocalCopy(layout, modelId);
  const { files, bytesTransferred } = await fetchPlanned(plan, {
    source: hub,
    place: { files: place.files, journal: join(place.path, 'hub-journal') },
    isStore: false,
    present: local === undefined || force ? undefined : { manifest: local.manifest, directory: copyPath(layout, modelId) },
    connections,
    limiter,
    signal,
    onBytes: (bytesDone, bytesTotal, bytesAtHand) =>
      emit({ type: 'progress', doing: 'downloading', subject: modelId, bytesDone, bytesTotal, bytesAtHand }),
  });
  const problems = await findContentProblems(
    files.map(({ path, size }) => ({ path, size, absolute: join(place.files, path) })),
    signal,
  );
  for (const message of describeProblems(problems, modelId)) emit({ type: 'warning', message });
  const kinds = await withGgufKinds(files, (path) => join(place.files, path));
  const manifest = makeManifest(modelId, withSideKinds(kinds, listing.files), {
    revision,
    commit: listing.commit,
    source: 'hub',
    createdAt: world.now(),
  });
  const part = { manifest, group: selectPart(ref, manifest, card?.ggufFile).group, missingPin: undefined };
  // A model without quantizations is always complete.
  const target = { ...part, whole: part.group.selector === null ? manifest : undefined, force };
  const grows = local !== undefined && planGrowth(local, target, world.now().toISOString()) !== undefined;
  const about = { companions: card?.companions ?? [], pin: card?.ggufFile };
  await publishCopy(manifest, place, { layout, lock, now: world.now, signal, ...about, wanted: target, grows });
  return { part, bytesTransferred };
}
