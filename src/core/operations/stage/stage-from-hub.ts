import { join } from 'node:path';
import { describeProblems, findContentProblems } from '../../catalog/contents/find-content-problems.ts';
import { makeManifest } from '../../catalog/manifest.ts';
import { readCard } from '../../catalog/read-card.ts';
import { selectionOf, type WantedFiles } from '../../catalog/selection/wanted-files.ts';
import type { Deps } from '../../connect/deps.ts';
import { openHub } from '../../connect/open-hub.ts';
import type { ModelRef } from '../../kernel/model-id.ts';
import type { HeldLock } from '../../kernel/process/lock.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import { fetchPlanned } from '../../sources/fetch-planned.ts';
import { planFetch } from '../../sources/plan-fetch.ts';
import { copyPath, incomingCopy, type StagingLayout } from '../../staging/layout.ts';
import { readLocalCopy } from '../../staging/local-copy.ts';
import { publishCopy } from '../../staging/publish-copy.ts';
import { requireDistinctNames } from '../../transfer/name-folding.ts';
import type { RateLimiter } from '../../transfer/rate-limiter.ts';
import { enterWorkPlace } from '../../transfer/work-place.ts';
import { type NeededFile, requireNeeded } from './needed-files.ts';

/**
 * Makes a staged copy straight from Hugging Face, verified as the store would. The caller holds the copy's lock.
 * @throws SkulkError the Hub's errors, NO_SPACE, INTEGRITY
 */
export async function stageFromHub(
  deps: Deps,
  { modelId, revision = 'main', selector }: ModelRef,
  {
    layout,
    lock,
    connections,
    wanted,
    needs,
    limiter,
  }: {
    readonly layout: StagingLayout;
    readonly lock: Pick<HeldLock, 'assertHeld'>;
    readonly connections: number;
    readonly wanted: WantedFiles;
    readonly needs?: readonly NeededFile[];
    readonly limiter: RateLimiter;
  },
): Promise<{ readonly manifest: Manifest; readonly bytesTransferred: number }> {
  const { world, config } = deps;
  const { signal, emit } = world;
  using opened = await openHub(deps, { connections });
  const { hub } = opened;
  const listing = await hub.list({ modelId, revision }, signal);
  const cards = config.settings.cardsPath.value;
  const card = cards === undefined ? undefined : await readCard([cards], modelId, (message) => emit({ type: 'warning', message }));
  const plan = planFetch(listing, { source: hub, request: selectionOf({ ...wanted, selector }, card?.ggufFile), present: undefined });
  for (const message of plan.warnings) emit({ type: 'warning', message });
  const paths = plan.files.map(({ path }) => path);
  requireNeeded({ modelId, ...(selector !== undefined && { selector }) }, needs, { paths, companions: card?.companions ?? [] });
  await requireDistinctNames(layout.root, { paths, of: modelId });
  const place = incomingCopy(layout, modelId);
  await enterWorkPlace(place, paths);
  const local = await readLocalCopy(layout, modelId);
  const { files, bytesTransferred } = await fetchPlanned(plan, {
    source: hub,
    place: { files: place.files, journal: join(place.path, 'hub-journal') },
    isStore: false,
    present: local === undefined ? undefined : { manifest: local.manifest, directory: copyPath(layout, modelId) },
    connections,
    limiter,
    signal,
    onBytes: (bytesDone, bytesTotal) => emit({ type: 'progress', doing: 'downloading', subject: modelId, bytesDone, bytesTotal }),
  });
  const problems = await findContentProblems(
    files.map(({ path, size }) => ({ path, size, absolute: join(place.files, path) })),
    signal,
  );
  for (const message of describeProblems(problems, modelId)) emit({ type: 'warning', message });
  const manifest = makeManifest(modelId, files, { revision, commit: listing.commit, source: 'hub', createdAt: world.now() });
  const part = selector === undefined ? undefined : { selector, of: manifest.digest };
  await publishCopy(manifest, place, { layout, lock, now: world.now, signal, companions: card?.companions ?? [], part });
  return { manifest, bytesTransferred };
}
