import { randomBytes } from 'node:crypto';
import type { ModelId } from '../kernel/model-id.ts';
import type { World } from '../kernel/world.ts';
import type { ArrivedChunk, DownloadStatus } from '../protocol/downloads.ts';
import type { DownloadRequest, Downloads } from './contract.ts';
import { type DownloadDetails, decodeDownload, downloadKind, downloadStatus, encodeDownload } from './download-kind.ts';
import type { JobContext, JobKind, JobQueue } from './job-kind.ts';
import { createJobQueue } from './job-queue.ts';
import { isFinished, type JobProgress } from './job-state.ts';

/** What a running download reports; what is absent stays. */
export interface DownloadReport {
  readonly commit?: string;
  /** What a program loads of what is taken. */
  readonly ggufFile?: string | undefined;
  /** Sentences for whoever asked. */
  readonly warnings?: readonly string[];
  readonly bytesDone?: number;
  readonly bytesTotal?: number;
  readonly chunk?: ArrivedChunk;
}

/** What the downloads of a store need. */
export interface DownloadQueueOptions extends Required<Pick<JobKind<DownloadRequest, DownloadDetails>, 'findResult' | 'requireOurs'>> {
  /** Where jobs are written down. */
  readonly directory: string;
  /** How many downloads run at one time; the others wait in order. */
  readonly maxRunning: number;
  /** Fetches and publishes; goes on where an earlier try stopped. */
  readonly fetch: (request: DownloadRequest, signal: AbortSignal, report: (now: DownloadReport) => void) => Promise<void>;
  readonly world: World;
  /** Asked by a server before each job is written down: rejects when another process has taken the store's lock. */
  readonly assertHeld?: (() => Promise<void>) | undefined;
}

/** The downloads of this machine's store. */
export interface DownloadQueue
  extends Downloads,
    Pick<JobQueue<DownloadRequest, DownloadDetails>, 'resume' | 'isActive' | 'subscribe' | 'close'> {
  /** Which chunk a number of a run means, or undefined. */
  findArrived(modelId: ModelId, which: { readonly run: string; readonly number: number }): ArrivedChunk | undefined;
}

/** What has arrived of a download that runs; the run has a name of its own among those of the same model. */
interface Arrived {
  readonly run: string;
  readonly chunks: ArrivedChunk[];
}

const maxPending = 1000;
const maxFinished = 100;
/** How many arrived chunks are listed at a time. */
const maxListed = 500;

/** Nothing runs before something is asked for or `resume` is called. */
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
        const own: Arrived = { run: randomBytes(8).toString('hex'), chunks: [] };
        arrived.set(modelId, own);
        try {
          await fetch(request, context.signal, (now) => report(now, own, context));
          return {};
        } finally {
          arrived.delete(modelId);
        }
      },
    },
    storage: { directory, encode: encodeDownload, decode: decodeDownload, assertHeld },
    maxRunning,
    maxPending,
    maxFinished,
    world,
  });
  return {
    ask: async (request) => downloadStatus(await queue.submit(request)),
    status: async (modelId) => downloadStatus(await queue.find(modelId)),
    list: async ({ recent = false } = {}): Promise<readonly DownloadStatus[]> => {
      await queue.load();
      return queue
        .list()
        .filter((job) => recent || !isFinished(job))
        .map(downloadStatus);
    },
    cancel: async (modelId) => downloadStatus(await queue.cancel(modelId)),
    arrived: async (modelId, from) => {
      const own = arrived.get(modelId);
      return own === undefined ? { run: null, from, chunks: [] } : { run: own.run, from, chunks: own.chunks.slice(from, from + maxListed) };
    },
    readArrived: () => {
      throw new Error('a process has what it downloads itself');
    },
    findArrived: (modelId, { run, number }) => {
      const own = arrived.get(modelId);
      return own?.run === run ? own.chunks[number] : undefined;
    },
    resume: queue.resume,
    isActive: queue.isActive,
    subscribe: queue.subscribe,
    close: queue.close,
  };
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
  // A restart goes on with this very commit's bytes, so it is known at once.
  if (commit !== undefined) void save();
}
