import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the space for new objects as large as it is by now, for a process that has started and lives long. Requests leave little behind,
 * so more room for what dies soon only takes memory: left alone it grows from 16 to 64 MiB. A server that had added and four times sent
 * a model of 5,000 files had 163 instead of 198 MiB resident with it, and was no slower (Node 24).
 */
export const keepHeapSmall = (): void => setFlagsFromString('--semi-space-growth-factor=1');
