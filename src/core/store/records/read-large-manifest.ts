import { Worker } from 'node:worker_threads';
import type { Manifest, ManifestFile } from '../../catalog/manifest.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { workerUrl } from '../../kernel/flow/worker-url.ts';
import type { Fingerprint } from '../../transfer/fingerprint.ts';
import type { Seen } from '../ingest/seen.ts';

/** From the store to the thread: where a manifest lies, and what was seen of its files. */
export interface ManifestJob {
  readonly manifest: string;
  readonly seen: string;
}

/** From the thread to the store: first the manifest without its files, then some files at a time. */
export type ManifestPart =
  | { readonly head: Omit<Manifest, 'files'> }
  | { readonly files: readonly ManifestFile[]; readonly seen: readonly (Fingerprint | undefined)[] };

type Reply = ManifestPart | null | { readonly refused: string; readonly hint?: string; readonly isOurs: boolean };

/**
 * Reads and checks one of the store's own manifests on a thread, and takes it over a part at a time: one with 50,000 files would stop the
 * event loop for a while.
 * @throws SkulkError INTEGRITY when the file cannot be used
 */
export async function readLargeManifest(job: ManifestJob): Promise<{ readonly manifest: Manifest; readonly seen: Seen }> {
  const worker = new Worker(workerUrl(import.meta.url, 'manifest-worker'));
  const ask = (message: ManifestJob | 'next'): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error('the thread that reads manifests ended without an answer'));
      worker.once('error', reject);
      worker.once('exit', ended);
      worker.once('message', (reply: Reply) => {
        worker.off('error', reject).off('exit', ended);
        resolve(reply);
      });
      worker.postMessage(message);
    });
  try {
    let head: Omit<Manifest, 'files'> | undefined;
    const files: ManifestFile[] = [];
    const seen: Record<string, Fingerprint> = {};
    for (let part = await ask(job); part !== null; part = await ask('next')) {
      if ('refused' in part) throw part.isOurs ? new SkulkError('INTEGRITY', part.refused, { hint: part.hint }) : new Error(part.refused);
      if ('head' in part) {
        head = part.head;
        continue;
      }
      for (const [index, file] of part.files.entries()) {
        files.push(file);
        const look = part.seen[index];
        if (look !== undefined) seen[file.path] = look;
      }
    }
    if (head === undefined) throw new Error(`nothing was read from ${job.manifest}`);
    return { manifest: { ...head, files }, seen };
  } finally {
    await worker.terminate();
  }
}
