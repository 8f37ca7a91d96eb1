import { open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { isSystemError, SkulkError } from '../kernel/errors.ts';
import type { ModelId } from '../kernel/model-id.ts';
import { quote } from '../kernel/relative-path.ts';
import { fingerprintOf, untouchedBetween } from '../transfer/fingerprint.ts';
import type { OpenFile } from './contract.ts';
import type { KnownManifest } from './model-records.ts';
import type { FileRechecker } from './recheck-file.ts';

/**
 * Opens a model's file once and checks, on that handle, that it is still what was hashed.
 * @param known undefined while the model has not been hashed
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
  const absolute = await resolveInside(directory, path).catch(explainMissing);
  if (absolute === undefined) throw damaged('is a symbolic link that leaves the model');
  const handle = await open(absolute, 'r').catch(explainMissing);
  try {
    const info = await handle.stat({ bigint: true });
    if (!info.isFile()) throw damaged('is not a regular file');
    const size = Number(info.size);
    if (expected !== undefined) {
      if (size !== expected.size) throw damaged(`has ${size} bytes, its manifest says ${expected.size}`);
      const fingerprint = fingerprintOf(info);
      if (!untouchedBetween(known?.seen[path], fingerprint) && !(await recheck(modelId, expected, absolute, fingerprint)))
        throw damaged('changed on the disk under its manifest');
    }
    return { handle, size, sha256: expected?.sha256 ?? null, [Symbol.asyncDispose]: () => handle.close() };
  } catch (error) {
    await handle.close();
    return explainMissing(error);
  }
}

/** The real path of a file, or undefined when it lies outside the directory. */
async function resolveInside(directory: string, path: string): Promise<string | undefined> {
  const [root, file] = await Promise.all([realpath(directory), realpath(join(directory, path))]);
  return file.startsWith(root + sep) ? file : undefined;
}

const noSuchFile = (modelId: ModelId, path: string): SkulkError =>
  new SkulkError('FILE_NOT_FOUND', `${modelId} has no file ${quote(path)}`, { hint: '`skulk show` lists its files' });
