import { Worker } from 'node:worker_threads';
import type { ChatTemplate } from '../../catalog/gguf-header.ts';
import { createSerialQueue } from '../../kernel/flow/serial-queue.ts';
import { workerUrl } from '../../kernel/flow/worker-url.ts';

/** A request to the thread: read a file's metadata, for a description or for a registry, or convert a template to Go's format. */
export type GgufQuestion =
  | { readonly about: 'facts' | 'header'; readonly path: string }
  /** For a remote file, by its first bytes. `size` is the size of the file. */
  | { readonly about: 'facts' | 'header'; readonly bytes: Uint8Array; readonly size: number }
  | { readonly about: 'template'; readonly template: ChatTemplate };

/** The thread's reply: everything is loaded and the work begins, then the result. */
export type GgufReply = { readonly state: 'begins' } | { readonly state: 'ended'; readonly found: unknown };

/** The result if the thread took too much time or memory. */
export const gaveUp = Symbol('gave up');

/** The maximum processor time of one answer, in milliseconds. A vocabulary of 262,000 words takes 3 s on a slow processor. */
const maxCpuMs = 4_000;
/** The maximum time on a busy machine, or if Node cannot report a thread's processor time (before 24.6). */
const maxMs = 30_000;
const pollEveryMs = 250;
const maxMegabytes = 512;

let worker: Worker | undefined;
const questions = createSerialQueue();

/**
 * Calls the thread that reads GGUF files, with bounded time and memory, one request after the other. Returns `gaveUp` for a hostile file.
 * @param check rejects a request by throwing, right before it is sent
 */
export function askGgufThread(question: GgufQuestion, check: () => Promise<void> = async () => {}): Promise<unknown> {
  return questions.run(() => askAlone(question, check));
}

async function askAlone(question: GgufQuestion, check: () => Promise<void>): Promise<unknown> {
  await check();
  worker ??= startWorker();
  const thread = worker;
  return new Promise((resolve) => {
    let stopWatching = (): void => {};
    const end = (found: unknown): void => {
      stopWatching();
      thread.off('message', onReply).off('exit', giveUp);
      thread.unref();
      resolve(found);
    };
    const giveUp = (): void => {
      worker = undefined;
      void thread.terminate();
      end(gaveUp);
    };
    const onReply = (reply: GgufReply): void => {
      if (reply.state === 'ended') end(reply.found);
      else stopWatching = watch(thread, giveUp);
    };
    thread.ref();
    thread.on('message', onReply).on('exit', giveUp);
    thread.postMessage(question);
  });
}

/** Calls `giveUp` when the thread has worked for too long from now on. @returns a function that ends the watch */
function watch(thread: Worker, giveUp: () => void): () => void {
  const began = performance.now();
  const before = cpuOf(thread);
  let isOver = false;
  const timer = setInterval(async () => {
    const [used, first] = await Promise.all([cpuOf(thread), before]);
    const isTooMuch = used !== undefined && first !== undefined && used - first > maxCpuMs;
    if (!isOver && (isTooMuch || performance.now() - began > maxMs)) giveUp();
  }, pollEveryMs);
  return () => {
    isOver = true;
    clearInterval(timer);
  };
}

/** The processor time of a thread, in milliseconds. */
async function cpuOf(thread: Worker): Promise<number | undefined> {
  const used = await thread.cpuUsage?.().catch(() => undefined);
  return used === undefined ? undefined : (used.user + used.system) / 1000;
}

function startWorker(): Worker {
  const thread = new Worker(workerUrl(import.meta.url, 'gguf-worker'), { resourceLimits: { maxOldGenerationSizeMb: maxMegabytes } });
  // The thread ends, and its caller gets the error.
  thread.on('error', () => undefined);
  return thread;
}
