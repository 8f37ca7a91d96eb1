import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { SkulkError } from '../../kernel/errors.ts';
import { makeDirectory } from '../../kernel/files/make-directory.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import { type Announced, readAnnouncement } from '../ingest/read-announcement.ts';
import { uploadBounds } from './upload-bounds.ts';
import { uploadPaths } from './upload-record.ts';

/** The size limit of a manifest, in bytes. */
const maxManifestBytes = 64 * 1024 * 1024;

/**
 * Receives the manifest of an announced model, and makes its piece table.
 * @param draft the directory for the table
 * @throws SkulkError BAD_REQUEST if it is too large or belongs to another model; INTEGRITY if it is unusable
 */
export async function receiveManifest(
  manifest: Readable,
  { modelId, draft }: { readonly modelId: ModelId; readonly draft: string },
  signal: AbortSignal,
): Promise<Announced> {
  await makeDirectory(draft);
  const path = join(draft, 'manifest.json');
  await writeAsItComes(manifest, path, signal);
  const announced = await readAnnouncement({ manifest: path, table: uploadPaths(draft).table }, signal);
  await rm(path);
  if (announced.model_id !== modelId)
    throw new SkulkError('BAD_REQUEST', 'the manifest belongs to another model than the URL', { hint: 'send a manifest made by skulk' });
  if (announced.pieces > uploadBounds.pieces)
    throw new SkulkError('BAD_REQUEST', `${modelId} has ${announced.pieces} pieces; the limit is ${uploadBounds.pieces}`, {
      hint: 'split it into several models',
    });
  return announced;
}

async function writeAsItComes(manifest: Readable, path: string, signal: AbortSignal): Promise<void> {
  let left = maxManifestBytes;
  const bounded = async function* (parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const part of parts) {
      left -= part.length;
      if (left < 0)
        throw new SkulkError('BAD_REQUEST', `the manifest has more than ${maxManifestBytes} bytes`, {
          hint: 'split it into several models',
        });
      yield part;
    }
  };
  await pipeline(manifest, bounded, createWriteStream(path, { flags: 'wx', mode: 0o600 }), { signal }).catch((error: unknown) => {
    throw signal.aborted ? signal.reason : error;
  });
}
