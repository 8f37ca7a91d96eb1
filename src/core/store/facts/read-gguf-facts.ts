import { lstat } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import type { GgufFacts } from '../../catalog/gguf-facts.ts';
import { workerUrl } from '../../kernel/flow/worker-url.ts';

/** How long one file may take; the largest vocabularies take a tenth of a second. */
const patienceMs = 3_000;
const maxMegabytes = 512;

let worker: Worker | undefined;
let last: Promise<unknown> = Promise.resolve();

/**
 * What the metadata of a GGUF file says, read on a thread with bounded time and memory; one file after the other. Undefined for what is
 * no GGUF file, is damaged, or means harm.
 */
export function readGgufFacts(path: string): Promise<GgufFacts | undefined> {
  const facts = last.then(() => readAlone(path)).catch(() => undefined);
  last = facts;
  return facts;
}

async function readAlone(path: string): Promise<GgufFacts | undefined> {
  // Neither a link, which may lead anywhere, nor a pipe, which would be waited for.
  if (!(await lstat(path)).isFile()) return undefined;
  worker ??= startWorker();
  const thread = worker;
  return new Promise((resolve) => {
    const end = (facts: GgufFacts | undefined): void => {
      clearTimeout(timer);
      thread.off('message', end).off('exit', giveUp);
      thread.unref();
      resolve(facts);
    };
    const giveUp = (): void => {
      worker = undefined;
      void thread.terminate();
      end(undefined);
    };
    const timer = setTimeout(giveUp, patienceMs);
    thread.ref();
    thread.on('message', end).on('exit', giveUp);
    thread.postMessage(path);
  });
}

function startWorker(): Worker {
  const thread = new Worker(workerUrl(import.meta.url, 'gguf-worker'), { resourceLimits: { maxOldGenerationSizeMb: maxMegabytes } });
  // It ends then; whoever waits hears of that.
  thread.on('error', () => undefined);
  return thread;
}
