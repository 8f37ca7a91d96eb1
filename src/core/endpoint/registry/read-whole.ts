import { SkulkError } from '../../kernel/errors.ts';
import type { HubContent } from '../contract.ts';

/** All bytes of a small file that was opened; the file is closed. @throws SkulkError INTEGRITY when it is shorter or longer than it was said to be */
export async function readWhole(content: HubContent, size: number): Promise<Buffer> {
  if (content.kind === 'stream') {
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of content.bytes) {
      length += part.length;
      if (length > size) throw notAsLong(size);
      // What is handed out may be used again for the next bytes.
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
  new SkulkError('INTEGRITY', `a file does not have its ${size} bytes`, { hint: 'run `skulk verify` on the store host' });
