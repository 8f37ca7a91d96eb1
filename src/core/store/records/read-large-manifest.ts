import { Worker } from 'node:worker_threads';
import type { Upstream, UpstreamFile } from '../../catalog/upstream.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { workerUrl } from '../../kernel/flow/worker-url.ts';
import type { Manifest, ManifestFile } from '../../protocol/manifest.ts';
import type { Fingerprint } from '../../transfer/fingerprint.ts';
import type { Seen } from '../ingest/seen.ts';

/** From the store to the thread: the paths of a manifest and its fingerprints, or a request for the upstream only. */
export type ManifestJob = { readonly manifest: string; readonly seen: string } | { readonly manifest: string; readonly upstream: true };

/** From the thread to the store: first the manifest without its files, then its files in batches. */
export type ManifestPart =
  | { readonly head: Omit<Manifest, 'files'> }
  | { readonly files: readonly ManifestFile[]; readonly seen: readonly (Fingerprint | undefined)[] };

/** The same for the source's files. */
export type UpstreamPart = { readonly head: Omit<Upstream, 'files'> } | { readonly files: readonly UpstreamFile[] };

type Refusal = { readonly refused: string; readonly hint?: string; readonly isOurs: boolean };

/**
 * Reads and validates one of the store's own manifests on a thread, and receives it in batches: one with 50,000 files would block the
 * event loop for a while.
 * @throws SkulkError INTEGRITY if the file is unusable
 */
export async function readLargeManifest(
  job: Extract<ManifestJob, { seen: string }>,
): Promise<{ readonly manifest: Manifest; readonly seen: Seen }> {
  let head: Omit<Manifest, 'files'> | undefined;
  const files: ManifestFile[] = [];
  const seen: Record<string, Fingerprint> = {};
  for await (const part of readInParts<ManifestPart>(job)) {
    if ('head' in part) {
      head = part.head;
      continue;
    }
    for (const [index, file] of part.files.entries()) {
      files.push(file);
      const fingerprint = part.seen[index];
      if (fingerprint !== undefined) seen[file.path] = fingerprint;
    }
  }
  if (head === undefined) throw new Error(`nothing was read from ${job.manifest}`);
  return { manifest: { ...head, files }, seen };
}

/** Reads the source's files from one of the store's own manifests in the same way; undefined if the manifest does not have them. */
export async function readLargeUpstream(manifest: string): Promise<Upstream | undefined> {
  let head: Omit<Upstream, 'files'> | undefined;
  const files: UpstreamFile[] = [];
  for await (const part of readInParts<UpstreamPart>({ manifest, upstream: true })) {
    if ('head' in part) head = part.head;
    else files.push(...part.files);
  }
  return head === undefined ? undefined : { ...head, files };
}

async function* readInParts<P extends object>(job: ManifestJob): AsyncGenerator<P> {
  const worker = new Worker(workerUrl(import.meta.url, 'manifest-worker'));
  const ask = (message: ManifestJob | 'next'): Promise<P | Refusal | null> =>
    new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error('the thread that reads manifests ended without an answer'));
      worker.once('error', reject);
      worker.once('exit', ended);
      worker.once('message', (reply: P | Refusal | null) => {
        worker.off('error', reject).off('exit', ended);
        resolve(reply);
      });
      worker.postMessage(message);
    });
  try {
    for (let part = await ask(job); part !== null; part = await ask('next')) {
      if ('refused' in part) throw part.isOurs ? new SkulkError('INTEGRITY', part.refused, { hint: part.hint }) : new Error(part.refused);
      yield part;
    }
  } finally {
    await worker.terminate();
  }
}
