import { SkulkError } from '../../kernel/errors.ts';
import type { HubContent } from '../contract.ts';

/** Reads all bytes of a small open file, and closes it. @throws SkulkError INTEGRITY if its size is not the expected one */
export async function readWhole(content: HubContent, size: number): Promise<Buffer> {
  if (content.kind === 'stream') {
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of content.bytes) {
      length += part.length;
      if (length > size) throw notAsLong(size);
      // A buffer may be reused for the next bytes.
      parts.push(Buffer.from(part));
    }
    if (length !== size) throw notAsLong(size);
    return Buffer.concat(parts);
  }
  await using file = content.file;
  const bytes = Buffer.alloc(size);
  for (let done = 0; done < size; ) {
    const { bytesRead } = await file.handle.read(bytes, done, size - done, done);
    if (bytesRead === 0) throw notAsLong(size);
    done += bytesRead;
  }
  return bytes;
}

const notAsLong = (size: number): SkulkError =>
  new SkulkError('INTEGRITY', `a file does not have the expected ${size} bytes`, { hint: 'run `skulk verify` on the store host' });
