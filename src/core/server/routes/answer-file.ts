import type { FastifyReply, FastifyRequest } from 'fastify';
import { SkulkError } from '../../kernel/errors.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { ByteRange } from '../../store/contract.ts';
import type { LocalStore, OpenFile } from '../../store/local-store.ts';
import type { Activity } from '../access/activity.ts';
import type { Limits } from '../app/limits.ts';
import { type ConnectionSemaphore, createConnectionSemaphore } from '../connections/connection-semaphore.ts';
import { type BufferPool, createBufferPool } from '../files/buffer-pool.ts';
import { type FileResponse, planFileResponse, refusalOf } from '../files/plan-file-response.ts';
import { createReceivers, type Receivers } from '../files/receivers.ts';
import { sendFile } from '../files/send-file.ts';
import { peerOf } from '../files/slots.ts';
import type { ModelTarget } from './parse-model-url.ts';

/** The shared state of all file answers of one store. */
export interface FileSending {
  readonly store: Pick<LocalStore, 'openFile'>;
  readonly limits: Limits;
  readonly pool: BufferPool;
  readonly semaphore: ConnectionSemaphore;
  readonly receivers: Receivers;
  /** Counts bytes that have left. */
  readonly onSent?: ((bytes: number) => void) | undefined;
}

/** A file that is open for sending. */
export interface ModelFile extends OpenFile {
  readonly modelId: ModelId;
  readonly path: string;
}

/** Prepares sending the files of a store. */
export function createFileSending(
  store: Pick<LocalStore, 'openFile' | 'onRemoved'>,
  limits: Limits,
  activity?: Pick<Activity, 'sent'>,
): FileSending {
  return {
    store,
    limits,
    pool: createBufferPool({ large: limits.largeBuffers }),
    // The file of the next answer is opened while the previous one is being sent.
    semaphore: createConnectionSemaphore(2),
    receivers: createReceivers(store),
    onSent: activity?.sent,
  };
}

/**
 * Answers with the bytes of a file, or the requested part of them.
 * @throws SkulkError FILE_NOT_FOUND, MODEL_NOT_FOUND, PRECONDITION_FAILED, RANGE_NOT_SATISFIABLE; STORE_BUSY if too many connections are
 * receiving files
 */
export async function answerFile(
  sending: FileSending,
  request: FastifyRequest,
  reply: FastifyReply,
  target: ModelTarget,
): Promise<FastifyReply> {
  return asTransfer(sending, request, async () => {
    await using file = await openAny(sending.store, target);
    const plan = planFor(request, file);
    const refusal = refusalOf(plan, file.size);
    if (refusal !== undefined) {
      reply.headers(plan.headers);
      throw refusal;
    }
    if (plan.range === null) sendHead(reply, plan).raw.end();
    else await sendRange(sending, request, reply, { plan, file, range: plan.range });
    return reply;
  });
}

/** Runs work that sends bytes to a connection, when its turn comes. Throws STORE_BUSY if too many connections are receiving. */
export async function asTransfer<T>(sending: FileSending, request: FastifyRequest, work: () => Promise<T>): Promise<T> {
  const release = request.method === 'GET' ? await sending.semaphore.acquire(request.socket) : undefined;
  try {
    checkTransferLimits(sending, request.ip);
    return await work();
  } finally {
    release?.();
  }
}

function checkTransferLimits({ semaphore, limits }: FileSending, address: string): void {
  const isPeerFull = semaphore.connections(peerOf(address)) > limits.transfersPerAddress;
  if (!isPeerFull && semaphore.connections() <= limits.maxTransfers) return;
  const limit = limits[isPeerFull ? 'transfersPerAddress' : 'maxTransfers'];
  throw new SkulkError('STORE_BUSY', `${limit} transfers are running, which is the limit`, {
    hint: 'try again in a moment',
    retryAfterMs: 1000,
  });
}

/** Opens the first of the possible files that the model has. */
async function openAny(store: FileSending['store'], { modelId, paths }: ModelTarget): Promise<ModelFile> {
  let refusal: unknown;
  for (const path of paths) {
    try {
      return { ...(await store.openFile(modelId, path)), modelId, path };
    } catch (error) {
      if (!(error instanceof SkulkError) || error.code !== 'FILE_NOT_FOUND') throw error;
      refusal ??= error;
    }
  }
  throw refusal;
}

function planFor({ method, headers }: FastifyRequest, file: OpenFile): FileResponse {
  const { range, 'if-range': ifRange, 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers;
  return planFileResponse({ method, range, ifRange: ifRange as string | undefined, ifMatch, ifNoneMatch }, file);
}

/** Sends the headers of an answer. From then on it is written without fastify. */
export function sendHead(reply: FastifyReply, { status, headers }: FileResponse): FastifyReply {
  reply.hijack();
  reply.raw.writeHead(status, headers);
  return reply;
}

/** Sends bytes of a file. Errors after the headers can only be logged. */
export async function sendRange(
  { pool, limits, receivers, onSent }: FileSending,
  request: FastifyRequest,
  reply: FastifyReply,
  { plan, file, range }: { readonly plan: FileResponse; readonly file: ModelFile; readonly range: ByteRange },
): Promise<void> {
  const { socket } = request;
  const remove = receivers.add(file.modelId, socket, file.path);
  try {
    const begin = (): void => void sendHead(reply, plan);
    await sendFile(file, range, { socket, response: reply.raw, pool, stallTimeoutMs: limits.stallTimeoutMs, begin, onSent });
  } catch (error) {
    if (!reply.raw.headersSent) throw error;
    logCutOff(request, error);
  } finally {
    remove();
  }
}

/** Logs why a transfer ended early. */
export function logCutOff({ log, originalUrl: url }: FastifyRequest, error: unknown): void {
  const code = error instanceof SkulkError ? error.code : 'INTERNAL';
  if (error instanceof SkulkError && code === 'INTERRUPTED') log.debug({ url }, error.message);
  else log.error({ err: error, code, url }, 'a transfer was interrupted');
}
