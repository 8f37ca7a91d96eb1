import { SkulkError } from '../../kernel/errors.ts';
import { quote, type RelativePath } from '../../kernel/files/relative-path.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { PieceRequest } from '../contract.ts';
import type { OpenFile } from '../local-store.ts';

const bufferSize = 1024 * 1024;

/** The bytes of a piece from the disk, in one reused buffer. Throws INTEGRITY if the file does not have the requested content. */
export async function* readPieceOf(
  { modelId, path, range, sha256 }: PieceRequest,
  signal: AbortSignal,
  openFile: (modelId: ModelId, path: RelativePath) => Promise<OpenFile>,
): AsyncGenerator<Uint8Array> {
  await using file = await openFile(modelId, path);
  if (file.sha256 !== sha256 || range.end > file.size)
    throw new SkulkError('INTEGRITY', `the content of ${quote(path)} of ${modelId} has changed`, { hint: 'run the command again' });
  const buffer = Buffer.allocUnsafe(Math.min(bufferSize, Math.max(1, range.end - range.start)));
  for (let at = range.start; at < range.end; ) {
    if (signal.aborted) throw signal.reason;
    const { bytesRead } = await file.handle.read(buffer, 0, Math.min(buffer.length, range.end - at), at);
    if (bytesRead === 0)
      throw new SkulkError('INTEGRITY', `${quote(path)} of ${modelId} is shorter than it was`, {
        hint: 'run `skulk verify` on the store host',
      });
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
