import { Worker } from 'node:worker_threads';
import { workerUrl } from '../../kernel/flow/worker-url.ts';
import type { ArrivalReply, ArrivalRequest } from './arrival-message.ts';

/** One file on the thread that hashes files while they arrive. */
export interface ThreadOfFile {
  readonly id: number;
  post(request: ArrivalRequest): void;
  /** Posts a copy of the next bytes. */
  postBytes(bytes: Uint8Array): void;
  /** Ends the hashing of this file. */
  end(): void;
}

let thread: Worker | undefined;
let nextId = 1;
const listeners = new Map<number, (reply: ArrivalReply) => void>();

/**
 * Joins the thread that all files share (each thread needs some ten megabytes). The first file starts it.
 * @param onReply called with `failed` also if the thread dies
 */
export function joinArrivalThread(onReply: (reply: ArrivalReply) => void): ThreadOfFile {
  const id = nextId++;
  thread ??= startThread();
  const joined = thread;
  listeners.set(id, onReply);
  // An idle thread must not keep a finished command alive; a busy one must.
  if (listeners.size === 1) joined.ref();
  return {
    id,
    post: (request) => joined.postMessage(request),
    postBytes: (bytes) => {
      const copy = new Uint8Array(bytes);
      joined.postMessage({ type: 'bytes', id, bytes: copy } satisfies ArrivalRequest, [copy.buffer]);
    },
    end: () => {
      if (!listeners.delete(id)) return;
      if (listeners.size === 0) joined.unref();
    },
  };
}

function startThread(): Worker {
  const started = new Worker(workerUrl(import.meta.url, 'arrival-worker'));
  started.on('message', (reply: ArrivalReply) => listeners.get(reply.id)?.(reply));
  started.on('error', () => {
    thread = undefined;
    for (const [id, listener] of listeners) listener({ type: 'failed', id });
  });
  return started;
}
