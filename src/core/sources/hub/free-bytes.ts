/**
 * Frees the memory of bytes that are no longer needed. Socket data is outside the garbage collector's heap, so a collection would only
 * start after some ten megabytes. Ignores bytes that may be part of a shared buffer. Source: ArrayBuffer.prototype.transfer, ECMAScript
 * 2024.
 */
export function freeBytes({ buffer, byteLength }: Uint8Array): void {
  if (byteLength < smallest || byteLength !== buffer.byteLength || !(buffer instanceof ArrayBuffer)) return;
  buffer.transfer(0);
}

/** Node allocates smaller buffers from its own pool, and for them the collector is faster. */
const smallest = 16 * 1024;
