import type { Deps } from '../../connect/deps.ts';
import { isPythonHost } from '../../connect/is-python-host.ts';
import { type OpenedStore, openStore } from '../../connect/open-store.ts';
import type { DownloadRequest } from '../../jobs/contract.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { quote } from '../../kernel/files/relative-path.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { DownloadPlan } from '../../protocol/models/hub-offer.ts';

/** The plan of a download; sizes in bytes. */
export interface PlannedDownload extends DownloadPlan {
  readonly model_id: ModelId;
  readonly revision: string;
  readonly commit: string;
  /** The size of all selected files, including those that the store has. */
  readonly bytes_total: number;
}

/**
 * Lists which files of a model a download would fetch and skip, without fetching any.
 * @throws SkulkError FILE_NOT_FOUND, USAGE for impossible options; errors of the store and Hugging Face
 */
export async function planDownload(deps: Deps, { modelId, revision, ...wanted }: DownloadRequest): Promise<PlannedDownload> {
  const { commit, plan } = await findPlan(deps, { modelId, revision, ...wanted });
  if (plan === undefined)
    throw new SkulkError('USAGE', 'this store host cannot plan downloads', {
      hint: 'another program or an older version runs there',
    });
  if (plan.missing_pin !== null)
    deps.world.emit({
      type: 'warning',
      message: `${modelId} has no ${quote(plan.missing_pin)}, which its model card names; using ${quote(plan.gguf_file ?? 'other weights')} instead`,
    });
  const bytes_total = plan.taken.reduce((sum, { size }) => sum + size, 0);
  return { model_id: modelId, revision: revision ?? 'main', commit, bytes_total, ...plan };
}

/** The plan of a download, from a store host that supports planning. */
export async function findPlan(
  deps: Deps,
  { modelId, revision, ...wanted }: DownloadRequest,
): Promise<{ readonly commit: string; readonly plan?: DownloadPlan | undefined }> {
  const { signal } = deps.world;
  const { inspectFor } = await import('./inspect-hub.ts');
  await using opened = await openIfThere(deps);
  if (opened?.offer === undefined) return await inspectFor(opened?.store, deps, { modelId, revision, wanted, signal });
  if (await isPythonHost(opened)) return { commit: '' };
  return (await opened.offer({ modelId, revision, wanted }, signal)) ?? { commit: '' };
}

/** The store; undefined if there is none, because a plan can be made without one. */
async function openIfThere(deps: Deps): Promise<OpenedStore | undefined> {
  try {
    return await openStore(deps);
  } catch (error) {
    const isAbsent = error instanceof SkulkError && error.code === 'STORE_NOT_CONFIGURED' && deps.config.settings.enabled.value;
    if (!isAbsent) throw error;
    deps.world.emit({ type: 'warning', message: 'no store was found, so this plan comes from Hugging Face alone' });
    return undefined;
  }
}
