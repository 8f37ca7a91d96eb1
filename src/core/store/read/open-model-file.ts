import { constants, fstatSync } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import { quote } from '../../kernel/files/relative-path.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import { fingerprintOf, readFingerprintSync, untouchedBetween } from '../../transfer/fingerprint.ts';
import type { OpenFile } from '../local-store.ts';
import type { KnownManifest } from '../records/model-records.ts';
import type { FileRechecker } from '../records/recheck-file.ts';

/**
 * Opens a model's file once and checks, on that handle, that it is unchanged since it was hashed.
 * @param known undefined until the model is hashed
 * @throws SkulkError FILE_NOT_FOUND, INTEGRITY, STORE_BUSY
 */
export async function openModelFile(
  { modelId, path, directory, known }: { modelId: ModelId; path: string; directory: string; known: KnownManifest | undefined },
  recheck: FileRechecker,
): Promise<OpenFile> {
  const expected = known?.byPath.get(path);
  if (known !== undefined && expected === undefined) throw noSuchFile(modelId, path);
  const damaged = (why: string): SkulkError =>
    new SkulkError('INTEGRITY', `${quote(path)} of ${modelId} ${why}`, { hint: 'run `skulk verify` on the store host' });
  const explainMissing = (error: unknown): never => {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ELOOP'))
      throw expected === undefined ? noSuchFile(modelId, path) : damaged('is missing from the disk');
    throw error;
  };
  // Do not wait for a pipe.
  const handle = await open(join(directory, path), constants.O_RDONLY | constants.O_NONBLOCK).catch(explainMissing);
  try {
    // For a file that was just opened, the system answers without reading the disk.
    const info = fstatSync(handle.fd, { bigint: true });
    if (!info.isFile()) throw damaged('is not a regular file');
    const size = Number(info.size);
    const fingerprint = fingerprintOf(info);
    const opened = { handle, size, sha256: expected?.sha256 ?? null, [Symbol.asyncDispose]: () => handle.close() };
    // Exactly this file was hashed and has not changed since, wherever its name leads.
    if (expected?.size === size && untouchedBetween(known?.seen[path], fingerprint)) return opened;
    const absolute = await resolveInside(directory, path);
    if (absolute === undefined) throw damaged('is a symbolic link that leaves the model');
    if (expected !== undefined && size !== expected.size) throw damaged(`has ${size} bytes, but its manifest says ${expected.size}`);
    if (expected !== undefined && !(await recheck(modelId, expected, absolute, fingerprint)))
      throw damaged('changed on the disk and no longer matches its manifest');
    // The name must still lead to the opened file.
    if (!untouchedBetween(readFingerprintSync(absolute), fingerprint)) throw damaged('was replaced while it was being opened');
    return opened;
  } catch (error) {
    await handle.close();
    return explainMissing(error);
  }
}

/** The real path of a file; undefined if it is outside the directory. */
async function resolveInside(directory: string, path: string): Promise<string | undefined> {
  const [root, file] = await Promise.all([realpath(directory), realpath(join(directory, path))]);
  return file.startsWith(root + sep) ? file : undefined;
}

const noSuchFile = (modelId: ModelId, path: string): SkulkError =>
  new SkulkError('FILE_NOT_FOUND', `${modelId} has no file ${quote(path)}`, { hint: '`skulk show` lists its files' });
