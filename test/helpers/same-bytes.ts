import { expect } from 'vitest';

// Entry by entry, as vitest compares whatever it can iterate over, two buffers of 18 MB take 40 seconds.
expect.addEqualityTesters([
  (one: unknown, other: unknown) => (Buffer.isBuffer(one) && Buffer.isBuffer(other) ? one.equals(other) : undefined),
]);
