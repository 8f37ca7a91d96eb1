import { selectFiles } from '../../catalog/selection/select-files.ts';
import { selectionError } from '../../catalog/selection/selection-error.ts';
import { selectionOf } from '../../catalog/selection/wanted-files.ts';
import type { Deps } from '../../connect/deps.ts';
import { openHub, requireOnline } from '../../connect/open-hub.ts';
import type { DownloadRequest } from '../../jobs/contract.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { formatRef } from '../../kernel/model-id.ts';

/**
 * Checks that Hugging Face has a model and lets this machine read it, before a store is created for it.
 * @throws SkulkError the download's own error
 */
export async function requireOnHub(deps: Deps, { modelId, revision = 'main', ...wanted }: DownloadRequest): Promise<void> {
  requireOnline(deps);
  const { signal } = deps.world;
  try {
    using opened = await openHub(deps, { connections: 1 });
    const listing = await opened.hub.list({ modelId, revision }, signal);
    const { taken, problem } = selectFiles(listing.files, { ...selectionOf(wanted, undefined), modelId });
    if (problem !== undefined) throw selectionError(problem, { modelId, where: 'on Hugging Face' });
    // Anyone may list a gated model, but only some may read it.
    const first = taken.map(({ file }) => file).find(({ size }) => size > 0);
    if (listing.about?.isRestricted !== true || first === undefined) return;
    for await (const _ of opened.hub.open(listing, first, { start: 0, end: 1 }, signal)) break;
  } catch (error) {
    if (!(error instanceof SkulkError) || signal.aborted) throw error;
    const name = formatRef({ modelId, selector: wanted.selector });
    throw new SkulkError(error.code, `could not download ${name}: ${error.message}`, { hint: error.hint, cause: error });
  }
}
