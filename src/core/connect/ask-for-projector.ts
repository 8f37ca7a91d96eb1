import { isProjector } from '../catalog/selection/projectors.ts';
import { SkulkError } from '../kernel/errors.ts';
import type { RegistryEntry } from '../protocol/models/entries.ts';
import type { Deps } from './deps.ts';
import { openHub } from './open-hub.ts';

/** How long Hugging Face may take to list a repo, in milliseconds. */
const patienceMs = 5_000;
/** How long a failed request is not repeated, in milliseconds. */
const pauseMs = 10 * 60_000;

/**
 * Finds out whether the repos of models ship a projector where the registry does not know it, as in entries of early Python releases. Each
 * repo is listed once, only if this machine may use Hugging Face. Without an answer there is no projector.
 */
export function askForProjectors(deps: Deps): (entry: RegistryEntry, commit: string | undefined) => Promise<boolean> {
  const { allowHubFallback } = deps.config.settings;
  const known = new Map<string, { readonly has: Promise<boolean | undefined>; readonly until: number }>();
  const list = async ({ model_id: modelId }: RegistryEntry, commit: string | undefined): Promise<boolean | undefined> => {
    try {
      using opened = await openHub(deps, { connections: 1 });
      const signal = AbortSignal.any([deps.world.signal, AbortSignal.timeout(patienceMs)]);
      const { files } = await opened.hub.list({ modelId, revision: commit ?? 'main' }, signal);
      return files.some(({ path }) => isProjector(path));
    } catch (error) {
      // A model of the user's own has no repo.
      return error instanceof SkulkError && error.code === 'MODEL_NOT_FOUND' ? false : undefined;
    }
  };
  return async (entry, commit) => {
    if (!allowHubFallback.value) return false;
    const before = known.get(entry.model_id);
    if (before !== undefined && before.until > performance.now()) return (await before.has) ?? false;
    const has = list(entry, commit);
    known.set(entry.model_id, { has, until: Number.POSITIVE_INFINITY });
    const answer = await has;
    if (answer === undefined) known.set(entry.model_id, { has, until: performance.now() + pauseMs });
    return answer ?? false;
  };
}
