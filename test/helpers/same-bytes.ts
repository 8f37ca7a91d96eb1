import { expect } from 'vitest';

// vitest compares iterable values entry by entry, which takes 40 seconds for two buffers of 18 MB.
expect.addEqualityTesters([
  (one: unknown, other: unknown) => (Buffer.isBuffer(one) && Buffer.isBuffer(other) ? one.equals(other) : undefined),
]);
