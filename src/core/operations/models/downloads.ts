import type { Deps } from '../../connect/deps.ts';
import { openStore } from '../../connect/open-store.ts';
import type { DownloadRequest, DownloadStatus, Downloads } from '../../jobs/contract.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { patient, pause, retrying } from '../../kernel/flow/backoff.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { World } from '../../kernel/world.ts';

/** How often a download that is waited for is looked at, in milliseconds. */
const lookEveryMs = 300;

/**
 * Asks the store for a model from Hugging Face; with `wait`, until it is there.
 * @throws SkulkError what the download failed with; HUB_OFFLINE, CONFLICT; USAGE without `wait` where no server could go on
 */
export async function download(
  deps: Deps,
  { request, wait }: { readonly request: DownloadRequest; readonly wait: boolean },
): Promise<DownloadStatus> {
  await using opened = await openStore(deps, { mayCreate: true });
  if (!wait && opened.url === undefined && deps.downloads === undefined)
    throw new SkulkError('USAGE', 'nothing would go on with the download: no server runs on this store host', {
      hint: 'start `skulk serve`, or leave out --no-wait',
    });
  const downloads = await opened.downloads();
  const asked = await downloads.ask(request);
  return wait ? await waitForDownload(downloads, asked, deps.world) : asked;
}

/**
 * Waits until a download has ended; says how far it is.
 * @throws SkulkError what it failed with
 */
export async function waitForDownload(downloads: Downloads, asked: DownloadStatus, world: World): Promise<DownloadStatus> {
  const { modelId } = asked;
  const { isTransient } = await import('../../client/http/transient.ts');
  let told: string | undefined;
  let warned = 0;
  for (let now = asked; ; ) {
    if (now.bytes_total > 0)
      world.emit({ type: 'progress', doing: 'downloading', subject: modelId, bytesDone: now.bytes_done, bytesTotal: now.bytes_total });
    for (const message of now.warnings.slice(warned)) world.emit({ type: 'warning', message });
    warned = Math.max(warned, now.warnings.length);
    if (now.status === 'complete') return now;
    if (now.status === 'failed')
      throw new SkulkError(now.error_code ?? 'HUB_UNREACHABLE', `${modelId} was not downloaded: ${now.error ?? 'no reason given'}`, {
        hint: now.hint ?? undefined,
      });
    const waitsFor =
      now.status === 'pending'
        ? `${modelId} waits for its turn in the store's downloads`
        : now.bytes_total === 0
          ? `the store asks Hugging Face for ${modelId}`
          : undefined;
    if (waitsFor !== undefined && waitsFor !== told) world.emit({ type: 'waiting', message: waitsFor });
    told = waitsFor;
    await pause(lookEveryMs, world.signal);
    // A server that restarts takes the download up again.
    now = await retrying(() => downloads.status(modelId), { policy: patient, signal: world.signal, isTransient });
  }
}

/** @throws SkulkError JOB_NOT_FOUND */
export async function downloadStatus(deps: Deps, { modelId }: { readonly modelId: ModelId }): Promise<DownloadStatus> {
  await using opened = await openStore(deps);
  return await (await opened.downloads()).status(modelId);
}

/** The store's downloads. */
export async function listDownloads(
  deps: Deps,
  { recent }: { readonly recent: boolean },
): Promise<{ readonly downloads: readonly DownloadStatus[] }> {
  await using opened = await openStore(deps);
  return { downloads: await (await opened.downloads()).list({ recent }) };
}

/** @throws SkulkError JOB_NOT_FOUND, CONFLICT when it has ended */
export async function cancelDownload(deps: Deps, { modelId }: { readonly modelId: ModelId }): Promise<DownloadStatus> {
  await using opened = await openStore(deps);
  return await (await opened.downloads()).cancel(modelId);
}
