import { randomBytes } from 'node:crypto';
import type { ModelId } from '../kernel/model-id.ts';
import type { World } from '../kernel/world.ts';
import type { ArrivedChunk, DownloadStatus } from '../protocol/downloads.ts';
import type { DownloadName, DownloadRequest, Downloads } from './contract.ts';
import {
  type DownloadDetails,
  decodeDownload,
  downloadIdOf,
  downloadKind,
  downloadStatus,
  encodeDownload,
  fileNameOf,
  mayBring,
  subjectOf,
} from './download-kind.ts';
import { followEnds, type JobEnd } from './job-end.ts';
import type { JobContext, JobKind, JobQueue, JobView } from './job-kind.ts';
import { createJobQueue } from './job-queue.ts';
import { isFinished, type JobProgress } from './job-state.ts';

/** The progress of a running download. Absent fields stay unchanged. */
export interface DownloadReport {
  readonly commit?: string;
  /** The file that a program loads. */
  readonly ggufFile?: string | undefined;
  /** Sentences for the user. */
  readonly warnings?: readonly string[];
  readonly bytesDone?: number;
  readonly bytesTotal?: number;
  /** The part of `bytesDone` that was not transferred. */
  readonly bytesAtHand?: number;
  /** The part of `bytesDone` that was discarded and has not arrived again. */
  readonly bytesLost?: number;
  readonly chunk?: ArrivedChunk;
}

/** The options of a store's downloads. */
export interface DownloadQueueOptions extends Required<Pick<JobKind<DownloadRequest, DownloadDetails>, 'findResult' | 'requireOurs'>> {
  /** The directory of the saved jobs. */
  readonly directory: string;
  /** How many downloads run at the same time; others wait in order. */
  readonly maxRunning: number;
  /** Fetches and publishes the files, unless they exist by then. Resumes an earlier try. */
  readonly fetch: (request: DownloadRequest, signal: AbortSignal, report: (now: DownloadReport) => void) => Promise<void>;
  readonly world: World;
  /** Called by a server before each job is saved; rejects if another process has taken the store's lock. */
  readonly assertHeld?: (() => Promise<void>) | undefined;
}

/** The downloads of this machine's store. */
export interface DownloadQueue
  extends Downloads,
    Pick<JobQueue<DownloadRequest, DownloadDetails>, 'load' | 'resume' | 'subscribe' | 'close'> {
  /**
   * Whether a download of a model is running or waiting.
   * @param files the files of one quantization; then only downloads that may fetch it count
   */
  isActive(modelId: ModelId, files?: readonly string[]): boolean;
  /** Whether the download with that file name, see `fileNameOf`, is running or waiting. */
  isActivePlace(name: string): boolean;
  /** Calls the listener once for each download that ends from now on. The returned function removes the listener. */
  onEnd(listener: (end: JobEnd) => void): () => void;
  /** Removes a finished one. */
  forgetPlace(name: string): Promise<void>;
  /** Finds the chunk with a number of a run, and its request; undefined if there is none. */
  findArrived(
    modelId: ModelId,
    which: { readonly run: string; readonly number: number },
  ): { readonly chunk: ArrivedChunk; readonly request: DownloadRequest } | undefined;
}

/** The arrived chunks of a running download. The run's name is unique among those of the model. */
interface Arrived {
  readonly run: string;
  readonly request: DownloadRequest;
  readonly chunks: ArrivedChunk[];
}

const maxPending = 1000;
const maxFinished = 100;
/** The maximum number of arrived chunks in one list. */
const maxListed = 500;

/** Nothing runs before the first request or `resume`. */
export function createDownloadQueue({
  findResult,
  requireOurs,
  fetch,
  directory,
  assertHeld,
  maxRunning,
  world,
}: DownloadQueueOptions): DownloadQueue {
  const arrived = new Map<ModelId, Arrived>();
  const queue = createJobQueue<DownloadRequest, DownloadDetails>({
    kind: {
      ...downloadKind,
      findResult,
      requireOurs,
      run: async ({ modelId, request }, context) => {
        const own: Arrived = { run: randomBytes(8).toString('hex'), request, chunks: [] };
        arrived.set(modelId, own);
        try {
          await fetch(request, context.signal, (now) => report(now, own, context));
          return {};
        } finally {
          arrived.delete(modelId);
        }
      },
    },
    storage: { directory, encode: encodeDownload, decode: decodeDownload, nameOf: ({ request }) => fileNameOf(request), assertHeld },
    maxRunning,
    maxPending,
    maxFinished,
    world,
  });
  /** @throws SkulkError JOB_NOT_FOUND */
  const choose = async ({ modelId, downloadId }: DownloadName): Promise<JobView<DownloadRequest, DownloadDetails>> => {
    await queue.load();
    const chosen = chooseJob(
      queue.list().filter((job) => job.modelId === modelId),
      downloadId,
    );
    // If the model has no download, the queue throws the error.
    return chosen ?? (await queue.find(downloadId === undefined ? modelId : `${modelId} ${downloadId}`));
  };
  return {
    ask: async (request) => downloadStatus(await queue.submit(request)),
    status: async (name) => downloadStatus(await choose(name)),
    list: async ({ recent = false } = {}): Promise<readonly DownloadStatus[]> => {
      await queue.load();
      return queue
        .list()
        .filter((job) => recent || !isFinished(job))
        .map(downloadStatus);
    },
    cancel: async (name) => {
      const first = await choose(name);
      const waiting = queue.list().filter((job) => job.modelId === name.modelId && job.status === 'pending');
      // A waiting download must not start when the running one ends.
      for (const { request } of name.downloadId === undefined ? waiting : [])
        if (subjectOf(request) !== subjectOf(first.request)) await queue.cancel(subjectOf(request));
      return downloadStatus(await queue.cancel(subjectOf(first.request)));
    },
    clear: async ({ modelId, downloadId }) => {
      await queue.load();
      const isMeant = (job: JobView<DownloadRequest, DownloadDetails>): boolean =>
        (modelId === undefined || job.modelId === modelId) && (downloadId === undefined || downloadIdOf(job.request) === downloadId);
      const ended = queue.list().filter((job) => isFinished(job) && isMeant(job));
      for (const { request } of ended) await queue.forget(subjectOf(request));
      return { cleared: ended.length };
    },
    arrived: async ({ modelId, downloadId }, from) => {
      const own = arrived.get(modelId);
      return own === undefined || (downloadId !== undefined && downloadId !== downloadIdOf(own.request))
        ? { run: null, from, chunks: [] }
        : { run: own.run, from, chunks: own.chunks.slice(from, from + maxListed) };
    },
    readArrived: () => {
      throw new Error('a process has what it downloads itself');
    },
    findArrived: (modelId, { run, number }) => {
      const own = arrived.get(modelId);
      const chunk = own?.run === run ? own.chunks[number] : undefined;
      return own === undefined || chunk === undefined ? undefined : { chunk, request: own.request };
    },
    resume: queue.resume,
    isActive: (modelId, files) =>
      queue.list().some((job) => job.modelId === modelId && !isFinished(job) && (files === undefined || mayBring(job, files))),
    isActivePlace: (name) => queue.list().some((job) => fileNameOf(job.request) === name && !isFinished(job)),
    forgetPlace: async (name) => {
      const job = queue.list().find(({ request, status }) => fileNameOf(request) === name && status !== 'complete');
      if (job !== undefined) await queue.forget(subjectOf(job.request));
    },
    load: queue.load,
    subscribe: queue.subscribe,
    onEnd: (listener) => followEnds(queue, downloadIdOf, listener),
    close: queue.close,
  };
}

/** The named one; else the running one, the next one, or the last finished one. */
function chooseJob(
  ofModel: readonly JobView<DownloadRequest, DownloadDetails>[],
  downloadId: string | undefined,
): JobView<DownloadRequest, DownloadDetails> | undefined {
  if (downloadId !== undefined) return ofModel.find(({ request }) => downloadIdOf(request) === downloadId);
  const next = ofModel.find(({ status }) => status === 'running') ?? ofModel.find(({ status }) => status === 'pending');
  return next ?? ofModel.toSorted((a, b) => (a.updatedAt < b.updatedAt ? 1 : -1))[0];
}

function report(
  { commit, ggufFile, warnings, chunk, ...bytes }: DownloadReport,
  { chunks }: Arrived,
  { report, save }: JobContext<DownloadDetails>,
): void {
  if (chunk !== undefined) chunks.push(chunk);
  const details: Partial<DownloadDetails> = {
    ...(commit !== undefined && { commit }),
    ...(ggufFile !== undefined && { ggufFile }),
    ...(warnings !== undefined && { warnings }),
  };
  const progress: JobProgress<DownloadDetails> = Object.keys(details).length === 0 ? bytes : { ...bytes, details };
  report(progress);
  // A restart needs exactly this commit's bytes, so it is saved at once.
  if (commit !== undefined) void save();
}
