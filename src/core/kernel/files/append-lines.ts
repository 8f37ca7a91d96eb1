import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSystemError, SkulkError } from '../errors.ts';
import { giveToOwnerOf } from './give-to-owner.ts';

/** Another user may be able to write to the directory of the file, and must not lead root to another file by a link. */
const openFlags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * Appends lines to a file so that they survive a power cut. First removes an incomplete last line, which an earlier crash left. If it
 * fails, the file keeps its earlier content, as far as the disk allows that.
 * @param lines each without its end
 * @returns the new size of the file in bytes
 * @throws SkulkError BAD_PATH if a link, or something else that is not a file, is there
 */
export async function appendLines(path: string, lines: readonly string[], { mode = 0o666 } = {}): Promise<number> {
  await using file = await open(path, openFlags, mode).catch((cause: unknown) => {
    throw isSystemError(cause, 'ELOOP') ? noFile(path, cause) : cause;
  });
  if (!(await file.stat()).isFile()) throw noFile(path);
  await endLastLine(file);
  const { size } = await file.stat();
  try {
    if (size === 0) await giveToOwnerOf(dirname(path), file);
    await file.appendFile(lines.map((line) => `${line}\n`).join(''));
    await file.sync();
    return (await file.stat()).size;
  } catch (error) {
    await file.truncate(size).catch(() => undefined);
    throw error;
  }
}

async function endLastLine(file: FileHandle): Promise<void> {
  const { size } = await file.stat();
  if (size === 0 || (await file.read(Buffer.alloc(1), 0, 1, size - 1)).buffer[0] === 10) return;
  const bytes = await file.readFile();
  await file.truncate(bytes.lastIndexOf(10) + 1);
}

const noFile = (path: string, cause?: unknown): SkulkError =>
  new SkulkError('BAD_PATH', `${path} is not a file, so nothing is appended to it`, { hint: 'remove it; skulk creates it again', cause });
