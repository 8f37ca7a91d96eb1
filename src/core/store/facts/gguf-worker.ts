import { parentPort } from 'node:worker_threads';
import { gguf } from '@huggingface/gguf';
import { toGgufFacts } from '../../catalog/gguf-facts.ts';

// Metadata from outside may claim anything; on a thread of its own it can be stopped, and its memory is bounded.
parentPort?.on('message', (path: string) => {
  gguf(path, { allowLocalFile: true }).then(
    ({ metadata }) => parentPort?.postMessage(toGgufFacts(metadata)),
    () => parentPort?.postMessage(undefined),
  );
});
