import { type ArrivalsThread, openArrivals } from '../hashing/hash-pool.ts';
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

let thread: ArrivalsThread | undefined;
let nextId = 1;
const listeners = new Map<number, (reply: ArrivalReply) => void>();

/**
 * Joins the thread that all arriving files share. The first file takes it from the pool, the last one returns it.
 * @param onReply called with `failed` also if the thread dies
 */
export function joinArrivalThread(onReply: (reply: ArrivalReply) => void): ThreadOfFile {
  const id = nextId++;
  thread ??= openArrivals({ onReply: (reply) => listeners.get(reply.id)?.(reply), onDeath });
  const joined = thread;
  listeners.set(id, onReply);
  return {
    id,
    post: (request) => joined.post(request),
    postBytes: (bytes) => {
      const copy = new Uint8Array(bytes);
      joined.post({ type: 'bytes', id, bytes: copy }, [copy.buffer]);
    },
    end: () => {
      if (!listeners.delete(id) || listeners.size > 0) return;
      joined.close();
      if (thread === joined) thread = undefined;
    },
  };
}

function onDeath(): void {
  thread = undefined;
  for (const [id, listener] of [...listeners]) listener({ type: 'failed', id });
}
