import { open, readFile, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSystemError } from '../errors.ts';
import { giveToOwnerOf } from './durable-file.ts';

/**
 * Appends lines to a file so that they survive a power cut. First removes an incomplete last line, which an earlier crash left. If it
 * fails, the file keeps its earlier content, as far as the disk allows that.
 * @param lines each without its end
 * @returns the new size of the file in bytes
 */
export async function appendLines(path: string, lines: readonly string[], { mode = 0o666 } = {}): Promise<number> {
  await endLastLine(path);
  await using file = await open(path, 'a', mode);
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

async function endLastLine(path: string): Promise<void> {
  if (await endsInLine(path)) return;
  const bytes = await readFile(path);
  await truncate(path, bytes.lastIndexOf(10) + 1);
}

async function endsInLine(path: string): Promise<boolean> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, Math.max(0, size - 1));
    return size === 0 || buffer[0] === 10;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return true;
    throw error;
  }
}
