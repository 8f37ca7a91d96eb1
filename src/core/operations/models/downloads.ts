import { findGroup } from '../../catalog/selection/find-group.ts';
import { findLoadable } from '../../catalog/selection/loadable-files.ts';
import { selectFiles } from '../../catalog/selection/select-files.ts';
import { selectionError } from '../../catalog/selection/selection-error.ts';
import type { Deps } from '../../connect/deps.ts';
import { openStore } from '../../connect/open-store.ts';
import type { DownloadName, DownloadRequest, Downloads } from '../../jobs/contract.ts';
import { DownloadFailed } from '../../kernel/download-failed.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { patient, pause, retrying } from '../../kernel/flow/backoff.ts';
import { formatRef, type ModelRef } from '../../kernel/model-id.ts';
import type { World } from '../../kernel/world.ts';
import type { ClearedDownloads, DownloadStatus } from '../../protocol/downloads.ts';
import type { ModelProblem } from '../../protocol/models/entries.ts';
import type { Store } from '../../store/contract.ts';
import { logUnserved } from '../store/log-change.ts';
import { askDownload } from './ask-download.ts';

/** The fields that identify a download's quantization; a view of the store may lack them. */
interface NamedDownload {
  readonly gguf_file?: string | null;
  readonly selector?: string | null;
}

/** A finished download. */
export interface FinishedDownload extends DownloadStatus {
  /** The projector for the weights; null without one. */
  readonly mmproj_file?: string | null;
  /** The requested files, as they are in the store. */
  readonly files?: readonly string[];
  /** The total size of these files, in bytes; `bytes_total` is the size of the last download. */
  readonly size_bytes?: number;
  /** Why no program can load them; absent if they can be loaded. */
  readonly problems?: readonly ModelProblem[];
}

/** How often the status of a download is polled, in milliseconds. */
const pollEveryMs = 300;

/**
 * Requests a download from Hugging Face; with `wait`, until it is complete.
 * @throws SkulkError the download's own error; HUB_OFFLINE, CONFLICT; USAGE without `wait` if there is no server to continue it
 */
export async function download(
  deps: Deps,
  { request, wait }: { readonly request: DownloadRequest; readonly wait: boolean },
): Promise<FinishedDownload> {
  const noServer = (): SkulkError =>
    new SkulkError('USAGE', 'the download cannot continue in the background: no server is running on this store host', {
      hint: 'start `skulk serve`, or omit --no-wait',
    });
  // A download that fails at once must not leave an empty store.
  const beforeCreating = async (): Promise<void> => {
    if (!wait) throw noServer();
    const { requireOnHub } = await import('./require-on-hub.ts');
    await requireOnHub(deps, request);
  };
  await using opened = await openStore(deps, { mayCreate: true, beforeCreating });
  if (!wait && opened.url === undefined && deps.downloads === undefined) throw noServer();
  const downloads = await opened.downloads();
  const { modelId, selector, ggufFile } = request;
  const change = { action: 'download', model_id: modelId, selector: selector ?? ggufFile ?? null } as const;
  // Without a server this process does the work, so the log gets the result of the download.
  const finished = await logUnserved(deps, opened, change, async () => {
    const asked = await askDownload(deps, opened, request);
    return wait ? await waitForDownload(downloads, asked, deps.world) : asked;
  });
  if (!wait) return finished;
  return { ...finished, ...(await namedFiles(deps, opened.store, request)) };
}

/** The requested files that the store has by then; empty while it is hashing them. */
async function namedFiles({ world }: Deps, store: Store, request: DownloadRequest): Promise<Partial<FinishedDownload>> {
  const { modelId, selector, ggufFile } = request;
  const answer = await store.manifest(modelId, { signal: world.signal });
  const all =
    answer.state === 'ready'
      ? answer.manifest.files
      : answer.state === 'listed'
        ? answer.model.files.map((path) => ({ path, size: 0 }))
        : [];
  if (all.length === 0) return {};
  const { taken, problem } = selectFiles(all, { modelId, selector: ggufFile ?? selector });
  // The Python program may report files that it does not have.
  if (answer.state === 'listed' && problem !== undefined)
    throw selectionError(problem, { modelId, where: `in the store at ${store.location}` });
  const files = selector === undefined && ggufFile === undefined ? all : taken.map(({ file }) => file);
  const paths = files.map(({ path }) => path);
  const { problems = [] } = answer.state === 'ready' ? answer : {};
  const own = problems.filter((one) => one.selector === null || paths.includes(one.path as never));
  return {
    mmproj_file: findLoadable(files).mmproj ?? null,
    files: paths,
    size_bytes: files.reduce((sum, { size }) => sum + size, 0),
    ...(own.length > 0 && { problems: own }),
  };
}

/**
 * Waits until a download has ended, and reports its progress.
 * @throws SkulkError the download's own error
 */
export async function waitForDownload(downloads: Downloads, asked: DownloadStatus, world: World): Promise<DownloadStatus> {
  const { modelId, download_id: downloadId, selector } = asked;
  const name = formatRef({ modelId, selector: selector ?? undefined });
  const { isTransient } = await import('../../client/http/transient.ts');
  let announced: string | undefined;
  let warned = 0;
  for (let now = asked; ; ) {
    if (now.bytes_total > 0)
      world.emit({ type: 'progress', doing: 'downloading', subject: modelId, bytesDone: now.bytes_done, bytesTotal: now.bytes_total });
    for (const message of now.warnings.slice(warned)) world.emit({ type: 'warning', message });
    warned = Math.max(warned, now.warnings.length);
    if (now.status === 'complete') return now;
    if (now.status === 'failed')
      throw new DownloadFailed(
        now.error_code ?? 'HUB_UNREACHABLE',
        { name, reason: now.error ?? 'no reason given' },
        { hint: now.hint ?? undefined },
      );
    const waitsFor =
      now.status === 'pending'
        ? `${name} is waiting in the queue of the store`
        : now.bytes_total === 0
          ? `the store is looking up the files of ${name}`
          : undefined;
    if (waitsFor !== undefined && waitsFor !== announced) world.emit({ type: 'waiting', message: waitsFor });
    announced = waitsFor;
    await pause(pollEveryMs, world.signal);
    // A server that restarts resumes the download.
    now = await retrying(() => downloads.status({ modelId, downloadId }), { policy: patient, signal: world.signal, isTransient });
  }
}

/** @throws SkulkError JOB_NOT_FOUND */
export async function downloadStatus(deps: Deps, name: DownloadName & Pick<ModelRef, 'selector'>): Promise<DownloadStatus> {
  await using opened = await openStore(deps);
  const downloads = await opened.downloads();
  return name.selector === undefined ? await downloads.status(name) : await findNamed(downloads, { ...name, selector: name.selector });
}

/** Lists the store's downloads; with references, only theirs. */
export async function listDownloads(
  deps: Deps,
  { recent, refs = [] }: { readonly recent: boolean; readonly refs?: readonly ModelRef[] },
): Promise<{ readonly downloads: readonly DownloadStatus[] }> {
  await using opened = await openStore(deps);
  const all = await (await opened.downloads()).list({ recent });
  return { downloads: all.filter((one) => isOneOf(refs, one)) };
}

/** Whether a download belongs to one of the references; without references, every download does. */
export const isOneOf = (refs: readonly ModelRef[], download: NamedDownload & { readonly modelId: string }): boolean =>
  refs.length === 0 ||
  refs.some(({ modelId, selector }) => modelId === download.modelId && (selector === undefined || isOf(selector, download)));

/**
 * Cancels the downloads of a model, or only the named one.
 * @throws SkulkError JOB_NOT_FOUND, CONFLICT if it has ended
 */
export async function cancelDownload(
  deps: Deps,
  { modelId, downloadId, selector }: DownloadName & Pick<ModelRef, 'selector'>,
): Promise<DownloadStatus> {
  await using opened = await openStore(deps);
  const downloads = await opened.downloads();
  const change = { action: 'cancel-download', model_id: modelId, selector: selector ?? null } as const;
  return await logUnserved(deps, opened, change, async () => {
    if (selector === undefined) return downloads.cancel({ modelId, downloadId });
    const { download_id } = await findNamed(downloads, { modelId, selector });
    return downloads.cancel({ modelId, downloadId: download_id });
  });
}

/** Removes ended downloads from the store's list: all, those of a model, or one. */
export async function clearDownload(deps: Deps, which: Partial<DownloadName>): Promise<ClearedDownloads> {
  await using opened = await openStore(deps);
  const change = { action: 'clear-downloads', model_id: which.modelId ?? null } as const;
  return await logUnserved(deps, opened, change, async () => (await opened.downloads()).clear(which));
}

/** The same for references; all of them without references. */
export async function clearDownloads(deps: Deps, { refs }: { readonly refs: readonly ModelRef[] }): Promise<ClearedDownloads> {
  if (refs.length === 0) return await clearDownload(deps, {});
  await using opened = await openStore(deps);
  const downloads = await opened.downloads();
  const ended = (await downloads.list({ recent: true })).filter(({ status }) => status === 'complete' || status === 'failed');
  let cleared = 0;
  for (const one of ended.filter((each) => isOneOf(refs, each)))
    cleared += (
      await logUnserved(deps, opened, { action: 'clear-downloads', model_id: one.modelId }, () =>
        downloads.clear({ modelId: one.modelId, downloadId: one.download_id }),
      )
    ).cleared;
  return { cleared };
}

/** Finds the download of a quantization: a running one, else the last one. */
async function findNamed(downloads: Downloads, { modelId, selector }: ModelRef & { readonly selector: string }): Promise<DownloadStatus> {
  const all = await downloads.list({ recent: true });
  const named = all.filter((one) => one.modelId === modelId && isOf(selector, one));
  const found =
    named.find(({ status }) => status === 'downloading') ??
    named.find(({ status }) => status === 'pending') ??
    named.toSorted(newestFirst)[0];
  if (found !== undefined) return found;
  const others = all.filter((one) => one.modelId === modelId && (one.status === 'downloading' || one.status === 'pending'));
  const name = formatRef({ modelId, selector });
  throw new SkulkError('JOB_NOT_FOUND', `no download job for ${name}`, {
    hint:
      others.length === 0
        ? '`skulk downloads` lists downloads'
        : `the store downloads ${others.map((one) => formatRef({ modelId, selector: one.selector ?? one.gguf_file ?? undefined })).join(', ')}`,
  });
}

const newestFirst = (a: DownloadStatus, b: DownloadStatus): number => (a.updated_at < b.updated_at ? 1 : -1);

/** Whether a download fetches the selected quantization, as far as is known. */
function isOf(selector: string, { gguf_file, selector: wanted }: NamedDownload): boolean {
  if (wanted?.toLowerCase() === selector.toLowerCase()) return true;
  return gguf_file != null && findGroup([{ path: gguf_file, size: 0 }], selector).state === 'found';
}
