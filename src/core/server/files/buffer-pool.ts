/** Reused buffers, so that a transfer allocates nothing. */
export interface BufferPool {
  /** Takes a large buffer, or a small one if all large ones are in use. A buffer need not be larger than `bytes`. */
  take(bytes: number): Buffer;
  give(buffer: Buffer): void;
}

/** Larger ones were not faster, and a slow client holds one. */
const largeBytes = 512 * 1024;
const smallBytes = 64 * 1024;
/** The number of free small buffers to keep: 4 MiB. */
const maxSmall = 64;

/**
 * There are at most `large` buffers of 512 KiB. If none is free, a transfer uses a small one instead of waiting, so that slow clients
 * cannot stop the others. The limit of transfers also limits the number of small ones.
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
