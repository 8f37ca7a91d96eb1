import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { chunkSize } from '../../kernel/chunk-size.ts';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import { workerUrl } from '../../kernel/flow/worker-url.ts';
import type { ArrivalReply, ArrivalRequest } from '../arrival/arrival-message.ts';
import type { HashJob, HashReply, HashRequest, HashResult } from './hash-job.ts';
import type { ThreadReply, ThreadRequest } from './thread-message.ts';

/** How to watch and cancel a hashing job. */
export interface HashOptions {
  readonly signal: AbortSignal;
  /** Called with the number of bytes done so far. */
  readonly onBytes?: (done: number) => void;
}

interface Task {
  readonly request: HashRequest;
  readonly onBytes: ((done: number) => void) | undefined;
  readonly settle: (reply: Exclude<HashReply, { type: 'bytes' }>) => void;
}

const maxThreads = Math.max(1, Math.min(availableParallelism(), 8));
const idle: Worker[] = [];
const running = new Map<Worker, Task>();
const queue: Task[] = [];
let nextId = 1;

/**
 * Runs a job on a hashing thread, so that the event loop stays free. There is at most one thread per core; other jobs wait in order.
 * @throws the file system's error; the signal's reason when it aborts
 */
export function runHashJob<J extends HashJob>(job: J, { signal, onBytes }: HashOptions): Promise<HashResult<J>> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const cancelled = new Int32Array(new SharedArrayBuffer(4));
    const cancel = (): void => {
      Atomics.store(cancelled, 0, 1);
      const waiting = queue.indexOf(task);
      if (waiting === -1) return;
      queue.splice(waiting, 1);
      reject(signal.reason);
    };
    const task: Task = {
      request: { id: nextId++, job, cancelled },
      onBytes,
      settle: (reply) => {
        signal.removeEventListener('abort', cancel);
        if (reply.type === 'result') resolve(reply.result as HashResult<J>);
        else if (reply.type === 'cancelled') reject(signal.reason);
        else reject(Object.assign(new Error(reply.message), { code: reply.code }));
      },
    };
    signal.addEventListener('abort', cancel, { once: true });
    queue.push(task);
    startNext();
  });
}

/** The thread of the files that arrive, as `openArrivals` got it. */
interface Arrivals {
  readonly worker: Worker;
  readonly onReply: (reply: ArrivalReply) => void;
  readonly onDeath: () => void;
}

let arrivals: Arrivals | undefined;

/** A thread for files that are hashed while they arrive. */
export interface ArrivalsThread {
  post(request: ArrivalRequest, transfer?: readonly ArrayBuffer[]): void;
  /** Leaves the thread to jobs. */
  close(): void;
}

/**
 * Takes a thread for all files that arrive; there is only one at a time. It does short jobs as well, because another thread would need
 * ten megabytes.
 */
export function openArrivals(on: Omit<Arrivals, 'worker'>): ArrivalsThread {
  const worker = idle.pop() ?? makeWorker();
  const opened: Arrivals = { ...on, worker };
  arrivals = opened;
  worker.ref();
  return {
    post: (arrival, transfer = []) => worker.postMessage({ arrival } satisfies ThreadRequest, transfer),
    close: () => {
      if (arrivals !== opened) return;
      arrivals = undefined;
      if (!running.has(worker)) rest(worker);
    },
  };
}

/** This many short jobs must wait before another thread is started. A start takes more time than one short job, and ten megabytes. */
const manyShort = 8;
/** What a short job hashes at most, in bytes: one chunk. */
const maxShort = chunkSize;

function isLong({ request: { job } }: Task): boolean {
  if (job.kind === 'range') return job.end - job.start > maxShort;
  return job.kind !== 'check' || job.pieces.reduce((sum, { start, end }) => sum + end - start, 0) > maxShort;
}

/** Whether the waiting jobs justify another thread. */
function wantsThread(): boolean {
  if (running.size >= maxThreads) return false;
  return running.size === 0 || queue.length >= manyShort || queue.some(isLong) || [...running.values()].some(isLong);
}

function findThread(task: Task): Worker | undefined {
  const resting = idle.pop();
  if (resting !== undefined) return resting;
  // A long job would hold up the files that arrive.
  if (arrivals !== undefined && !running.has(arrivals.worker) && !isLong(task)) return arrivals.worker;
  return wantsThread() ? makeWorker() : undefined;
}

function startNext(): void {
  for (let task = queue[0]; task !== undefined; task = queue[0]) {
    const worker = findThread(task);
    if (worker === undefined) return;
    queue.shift();
    // An idle thread must not keep a finished command alive; a busy one must.
    worker.ref();
    running.set(worker, task);
    worker.postMessage({ job: task.request } satisfies ThreadRequest);
  }
}

function rest(worker: Worker): void {
  if (worker === arrivals?.worker) return;
  idle.push(worker);
  worker.unref();
}

/**
 * The most memory for the objects of a thread, in MiB: far more than the pieces of the largest file. Up to 1024, V8 does not copy 2 MiB of
 * its own code for each thread.
 */
const threadHeapMb = 1024;

function makeWorker(): Worker {
  const worker = new Worker(workerUrl(import.meta.url, 'hash-worker'), { resourceLimits: { maxOldGenerationSizeMb: threadHeapMb } });
  worker.on('message', (message: ThreadReply) => {
    if ('arrival' in message) arrivals?.onReply(message.arrival);
    else onJobReply(worker, message.job);
  });
  const onEnd = (why: string): void => {
    const task = running.get(worker);
    running.delete(worker);
    if (idle.includes(worker)) idle.splice(idle.indexOf(worker), 1);
    task?.settle({ id: task.request.id, type: 'error', message: `a hashing thread died: ${why}`, code: undefined });
    if (arrivals?.worker === worker) {
      const { onDeath } = arrivals;
      arrivals = undefined;
      onDeath();
    }
    startNext();
  };
  worker.on('error', ({ message }) => onEnd(message)).on('exit', (status) => onEnd(`it ended with status ${status}`));
  return worker;
}

function onJobReply(worker: Worker, reply: HashReply): void {
  const task = running.get(worker);
  if (task?.request.id !== reply.id) return;
  if (reply.type === 'bytes') {
    task.onBytes?.(reply.done);
    return;
  }
  running.delete(worker);
  rest(worker);
  task.settle(reply);
  startNext();
}

/** Explains why a file could not be hashed. */
export function explainUnhashable(error: unknown, path: string): unknown {
  if (isSystemError(error, 'EACCES', 'EPERM'))
    return new SkulkError('PERMISSION', `cannot read ${path}: permission denied`, { hint: 'check its owner and mode', cause: error });
  if (isSystemError(error, 'ENOENT'))
    return new SkulkError('INTEGRITY', `${path} disappeared while it was being read`, { hint: 'run the command again', cause: error });
  return error;
}
