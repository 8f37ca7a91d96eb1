/**
 * Frees the memory of bytes that nobody needs any more. What comes from a socket is outside of the collector's heap, so it would not begin
 * to work before some ten megabytes lie there. Leaves alone what may be a part of a buffer that others use too.
 * Source: ArrayBuffer.prototype.transfer, ECMAScript 2024.
 */
export function freeBytes({ buffer, byteLength }: Uint8Array): void {
  if (byteLength < smallest || byteLength !== buffer.byteLength || !(buffer instanceof ArrayBuffer)) return;
  buffer.transfer(0);
}

/** Node gives parts of a buffer of its own to who wants less, and the collector is quicker. */
const smallest = 16 * 1024;
