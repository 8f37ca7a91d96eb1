import { Worker } from 'node:worker_threads';
import type { ChatTemplate } from '../../catalog/gguf-header.ts';
import { workerUrl } from '../../kernel/flow/worker-url.ts';

/** What the thread is asked: what the metadata of a file says, for a description or for a registry, or a template in Go's format. */
export type GgufQuestion =
  | { readonly about: 'facts' | 'header'; readonly path: string }
  /** Of a file that is not here, by its first bytes. `size` is that of the file. */
  | { readonly about: 'header'; readonly bytes: Uint8Array; readonly size: number }
  | { readonly about: 'template'; readonly template: ChatTemplate };

/** What the thread says: that everything is loaded and the work begins, then what was found. */
export type GgufReply = { readonly state: 'begins' } | { readonly state: 'ended'; readonly found: unknown };

/** What stands for an answer that did not come in time, or took too much memory. */
export const gaveUp = Symbol('gave up');

/** How much of a processor one answer may take: a vocabulary of 262,000 words takes 3 s on a slow one. In milliseconds. */
const maxCpuMs = 4_000;
/** How long it may take on a machine that is busy, or where Node does not tell the time of a thread (before 24.6). */
const maxMs = 30_000;
const lookEveryMs = 250;
const maxMegabytes = 512;

let worker: Worker | undefined;
let last: Promise<unknown> = Promise.resolve();

/**
 * Asks the thread that reads GGUF files, with bounded time and memory; one question after the other. `gaveUp` for what means harm.
 * @param check refuses a question by throwing, right before it is asked
 */
export function askGgufThread(question: GgufQuestion, check: () => Promise<void> = async () => {}): Promise<unknown> {
  const found = last.then(() => askAlone(question, check));
  last = found.catch(() => undefined);
  return found;
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

/** Has something done when the thread has worked for too long from now on. @returns what ends that */
function watch(thread: Worker, giveUp: () => void): () => void {
  const began = performance.now();
  const before = cpuOf(thread);
  let isOver = false;
  const timer = setInterval(async () => {
    const [used, first] = await Promise.all([cpuOf(thread), before]);
    const isTooMuch = used !== undefined && first !== undefined && used - first > maxCpuMs;
    if (!isOver && (isTooMuch || performance.now() - began > maxMs)) giveUp();
  }, lookEveryMs);
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
  // It ends then; whoever waits hears of that.
  thread.on('error', () => undefined);
  return thread;
}
