/** Buffers that are used again and again, so that a transfer allocates nothing. */
export interface BufferPool {
  /** A large buffer, or a small one when all large ones are in use; never more bytes than asked for are needed. */
  take(bytes: number): Buffer;
  give(buffer: Buffer): void;
}

/** Larger ones were no faster, and a client that reads slowly holds one. */
const largeBytes = 512 * 1024;
const smallBytes = 64 * 1024;
/** Free small ones that are kept: 4 MiB of them. */
const maxSmall = 64;

/**
 * At most `large` buffers of 512 KiB exist. A transfer that finds none free goes on with a small one instead of waiting, so that
 * clients that read slowly cannot stop the others; the number of transfers bounds how many small ones there can be.
 */
export function createBufferPool({ large = 32 }: { large?: number } = {}): BufferPool {
  const free: { large: Buffer[]; small: Buffer[] } = { large: [], small: [] };
  let made = 0;
  return {
    take(bytes) {
      if (bytes <= smallBytes) return free.small.pop() ?? Buffer.allocUnsafeSlow(smallBytes);
      const buffer = free.large.pop();
      if (buffer !== undefined) return buffer;
      if (made >= large) return free.small.pop() ?? Buffer.allocUnsafeSlow(smallBytes);
      made += 1;
      return Buffer.allocUnsafeSlow(largeBytes);
    },
    give(buffer) {
      if (buffer.length === largeBytes) free.large.push(buffer);
      else if (free.small.length < maxSmall) free.small.push(buffer);
    },
  };
}
