import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the heap's space for new objects at its current size, for a long-running process. Requests leave little behind, so a larger space
 * only takes memory: by default it grows from 16 to 64 MiB. After adding and four times sending a model of 5,000 files, a server had 163
 * instead of 198 MiB resident, at the same speed (Node 24).
 */
export const keepHeapSmall = (): void => setFlagsFromString('--semi-space-growth-factor=1');
