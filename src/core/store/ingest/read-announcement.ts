import { Worker } from 'node:worker_threads';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import { createSerialQueue } from '../../kernel/flow/serial-queue.ts';
import { workerUrl } from '../../kernel/flow/worker-url.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { Sha256 } from '../../kernel/sha256.ts';

/** From the server to the thread: the path of the manifest, and the path for its table of pieces. */
export interface AnnouncementJob {
  readonly manifest: string;
  readonly table: string;
}

/** The content of an announced manifest; sizes in bytes. */
export interface Announced {
  readonly model_id: ModelId;
  readonly digest: Sha256;
  readonly files: number;
  readonly pieces: number;
  readonly bytes: number;
  /** The sha256 of its table of pieces. */
  readonly table: Sha256;
}

/** From the thread to the server. */
export type AnnouncementReply = Announced | { readonly refused: string; readonly code?: string | undefined };

/** The objects of 64 MB of JSON fit into this many MiB, unless the JSON is hostile. */
const heapMb = 768;

const readings = createSerialQueue();

/**
 * Reads and validates an announced manifest on a thread, one manifest at a time.
 * @throws SkulkError BAD_REQUEST for an invalid manifest; the signal's reason; the file system's error
 */
export function readAnnouncement(job: AnnouncementJob, signal: AbortSignal): Promise<Announced> {
  return readings.run(() => readNow(job, signal));
}

async function readNow(job: AnnouncementJob, signal: AbortSignal): Promise<Announced> {
  signal.throwIfAborted();
  const worker = new Worker(workerUrl(import.meta.url, 'announce-worker'), { resourceLimits: { maxOldGenerationSizeMb: heapMb } });
  const stop = (): void => void worker.terminate();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const reply = await new Promise<AnnouncementReply>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', () => reject(signal.aborted ? signal.reason : new Error('the thread ended without an answer')));
      worker.postMessage(job);
    });
    if (!('refused' in reply)) return reply;
    if (reply.code?.startsWith('E') === true) throw Object.assign(new Error(reply.refused), { code: reply.code });
    throw new SkulkError('BAD_REQUEST', reply.refused, { hint: 'send a manifest made by skulk' });
  } catch (error) {
    if (isSystemError(error, 'ERR_WORKER_OUT_OF_MEMORY'))
      throw new SkulkError('BAD_REQUEST', 'the manifest is too large', { hint: 'send a manifest made by skulk', cause: error });
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    await worker.terminate();
  }
}
