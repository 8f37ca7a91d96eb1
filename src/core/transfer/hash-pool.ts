import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { isSystemError, SkulkError } from '../kernel/errors.ts';
import { workerUrl } from '../kernel/flow/worker-url.ts';
import type { HashJob, HashReply, HashRequest, HashResult } from './hash-job.ts';

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

/** This many short jobs must wait before another thread is started. A start takes more time than one short job, and ten megabytes. */
const manyShort = 8;
const isLong = ({ request }: Task): boolean => request.job.kind !== 'range';

/** Whether the waiting jobs justify another thread. */
function wantsThread(): boolean {
  if (running.size >= maxThreads) return false;
  return running.size === 0 || queue.length >= manyShort || queue.some(isLong) || [...running.values()].some(isLong);
}

function startNext(): void {
  while (queue.length > 0 && (idle.length > 0 || wantsThread())) {
    const task = queue.shift();
    if (task === undefined) return;
    const worker = idle.pop() ?? makeWorker();
    // An idle thread must not keep a finished command alive; a busy one must.
    worker.ref();
    running.set(worker, task);
    worker.postMessage(task.request);
  }
}

function makeWorker(): Worker {
  const worker = new Worker(workerUrl(import.meta.url, 'hash-worker'));
  worker.on('message', (reply: HashReply) => {
    const task = running.get(worker);
    if (task?.request.id !== reply.id) return;
    if (reply.type === 'bytes') return task.onBytes?.(reply.done);
    running.delete(worker);
    idle.push(worker);
    worker.unref();
    task.settle(reply);
    startNext();
  });
  worker.on('error', (error) => {
    const task = running.get(worker);
    running.delete(worker);
    task?.settle({ id: task.request.id, type: 'error', message: `a hashing thread died: ${error.message}`, code: undefined });
    startNext();
  });
  return worker;
}

/** Explains why a file could not be hashed. */
export function explainUnhashable(error: unknown, path: string): unknown {
  if (isSystemError(error, 'EACCES', 'EPERM'))
    return new SkulkError('PERMISSION', `cannot read ${path}: permission denied`, { hint: 'check its owner and mode', cause: error });
  if (isSystemError(error, 'ENOENT'))
    return new SkulkError('INTEGRITY', `${path} disappeared while it was being read`, { hint: 'run the command again', cause: error });
  return error;
}
