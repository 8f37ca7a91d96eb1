import { readFile } from 'node:fs/promises';
import { parentPort } from 'node:worker_threads';
import { parseManifest } from '../../catalog/manifest.ts';
import { parseUpstream } from '../../catalog/upstream.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { parseSeen } from '../ingest/seen.ts';
import type { ManifestJob, ManifestPart, UpstreamPart } from './read-large-manifest.ts';

/** The number of files that the server can receive in a few milliseconds. */
const filesPerPart = 1_000;

let parts: Iterator<ManifestPart | UpstreamPart> | undefined;

// Sends one part for each request, because a server receives all queued messages in one go.
parentPort?.on('message', (job: ManifestJob | 'next') => {
  answer(job).then(
    (part) => parentPort?.postMessage(part),
    (error: unknown) => {
      const { message, hint } = error as Partial<SkulkError>;
      parentPort?.postMessage({ refused: String(message), hint, isOurs: error instanceof SkulkError });
    },
  );
});

async function answer(job: ManifestJob | 'next'): Promise<ManifestPart | UpstreamPart | null> {
  if (job !== 'next') {
    const value = parseJson(await readFile(job.manifest, 'utf8'));
    parts =
      'upstream' in job
        ? upstreamParts(value)
        : manifestParts(value, job.manifest, await readFile(job.seen, 'utf8').catch(() => undefined));
  }
  const next = parts?.next();
  return next === undefined || next.done === true ? null : next.value;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function* manifestParts(value: unknown, path: string, seenText: string | undefined): Generator<ManifestPart> {
  const { files, ...head } = parseManifest(value, path);
  const seen = parseSeen(seenText, head.digest);
  yield { head };
  for (let from = 0; from < files.length; from += filesPerPart) {
    const some = files.slice(from, from + filesPerPart);
    yield { files: some, seen: some.map((file) => seen[file.path]) };
  }
}

function* upstreamParts(value: unknown): Generator<UpstreamPart> {
  const upstream = parseUpstream((value as { upstream?: unknown } | undefined)?.upstream);
  if (upstream === undefined) return;
  const { files, ...head } = upstream;
  yield { head };
  for (let from = 0; from < files.length; from += filesPerPart) yield { files: files.slice(from, from + filesPerPart) };
}
