import { join } from 'node:path';
import { findGroup } from '../catalog/selection/find-group.ts';
import { isBroken } from '../catalog/selection/groups.ts';
import { lacksProjector } from '../catalog/selection/projectors.ts';
import type { ArrivedChunk, DownloadRequest } from '../jobs/contract.ts';
import { createDownloadQueue, type DownloadQueue } from '../jobs/download-queue.ts';
import { SkulkError } from '../kernel/errors.ts';
import { explainSystemError } from '../kernel/explain-system-error.ts';
import { directoryName, type ModelId } from '../kernel/model-id.ts';
import { describeLockHolder, type HeldLock, readLock } from '../kernel/process/lock.ts';
import { downloadModel } from '../sources/download-model.ts';
import type { LocalStore } from '../store/contract.ts';
import { storeLayout } from '../store/layout.ts';
import type { Deps } from './deps.ts';
import { openHub, requireOnline } from './open-hub.ts';

/** Connections of one download. The Hub gives each some ten megabytes a second. */
const connections = 8;

/**
 * The downloads of the store on this machine's disk.
 * @param held the store's lock, in the process that serves it
 */
export function createHostDownloads(deps: Deps, store: LocalStore, held?: Pick<HeldLock, 'assertHeld'>): DownloadQueue {
  const layout = storeLayout(store.root);
  return createDownloadQueue({
    directory: layout.jobs,
    maxRunning: deps.config.settings.mostDownloads.value,
    world: deps.world,
    assertHeld: held?.assertHeld,
    isDone: async (request) => {
      if (await isThere(store, request)) return true;
      // Better said to whoever asks than by a download that fails.
      await store.requirePlace(request.modelId);
      requireOnline(deps);
      return false;
    },
    requireOurs: async (modelId) => {
      const holder = await readLock(join(downloadPlace(store.root, modelId), 'lock'));
      if (holder !== undefined)
        throw new SkulkError('LOCKED', `${describeLockHolder(holder)} is downloading ${modelId}`, {
          hint: 'wait for it to end, or stop that process, then ask again',
        });
    },
    fetch: async (request, signal, report) => {
      // What an earlier process was asked for may be forbidden by now.
      requireOnline(deps);
      try {
        using opened = await openHub(deps, { connections });
        const place = downloadPlace(store.root, request.modelId);
        await downloadModel(request, { source: opened.hub, store, place, connections, emit: deps.world.emit, signal, report });
      } catch (error) {
        throw explainSystemError(error, `cannot download ${request.modelId} into ${store.root}`);
      }
    },
  });
}

/** Without a revision any will do; a branch may have moved, so only a commit is known to be there. */
async function isThere(store: LocalStore, { modelId, revision, ggufFile, selector }: DownloadRequest): Promise<boolean> {
  const entry = (await store.listModels()).find(({ model_id }) => model_id === modelId);
  if (entry === undefined || lacksProjector(entry.files, entry.repo_has_projector)) return false;
  const named = ggufFile ?? selector;
  if (named !== undefined && !hasGroup(entry.files, named)) return false;
  if (revision === undefined) return true;
  const answer = await store.manifest(modelId);
  return answer.state === 'ready' && answer.manifest.commit === revision;
}

/** Whether there is all of what a selector names. */
function hasGroup(paths: readonly string[], selector: string): boolean {
  const listing = paths.map((path) => ({ path, size: 0 }));
  const found = findGroup(listing, selector);
  return found.state === 'found' && !isBroken(found.group);
}

const downloadPlace = (root: string, modelId: ModelId): string => join(storeLayout(root).downloads, directoryName(modelId));

/** The file of a chunk that has arrived, while it is being downloaded. */
export const arrivedFile = (root: string, modelId: ModelId, { path }: ArrivedChunk): string =>
  join(downloadPlace(root, modelId), 'files', path);
