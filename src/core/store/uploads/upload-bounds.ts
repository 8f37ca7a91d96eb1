import { SkulkError } from '../../kernel/errors.ts';
import { formatBytes } from '../../kernel/units.ts';

/** What is known of an open upload when room is given out; sizes in bytes, times in milliseconds since 1970. */
export interface OpenUpload {
  readonly key: string;
  readonly from: string;
  readonly bytesLeft: number;
  readonly lastByteAt: number;
}

/** What several uploads may take together. Times are in milliseconds. */
export const uploadBounds = {
  /** Of one model. */
  pieces: 400_000,
  open: 64,
  openPerSender: 16,
  /** Whoever has several uploads open gets at most this part of the room. */
  shareOfRoom: 0.8,
  /** An upload that got nothing for so long reserves nothing any more: what it lacks may not come. */
  reservedForMs: 10 * 60_000,
  /** When there are too many, one that got nothing for so long makes way for a sender who has fewer. */
  displacedAfterMs: 60_000,
  /** When room is short, uploads that got nothing for so long are removed, the oldest first. */
  idleAfterMs: 3600_000,
  /** So long an unfinished upload can be gone on with, while there is room. */
  staleAfterMs: 7 * 24 * 3600_000,
} as const;

/** The bytes that the uploads under way still need, but those of one. Pure. */
export function reservedBytes(uploads: readonly OpenUpload[], now: number, from?: string): number {
  return uploads
    .filter((upload) => now - upload.lastByteAt < uploadBounds.reservedForMs && (from === undefined || upload.from === from))
    .reduce((sum, { bytesLeft }) => sum + bytesLeft, 0);
}

/**
 * Decides whether another upload may begin, and which one makes way for it. Pure.
 * @returns the key of the one that makes way, or undefined when there is a place
 * @throws SkulkError STORE_BUSY
 */
export function planPlace(uploads: readonly OpenUpload[], from: string, now: number, most: number = uploadBounds.open): string | undefined {
  const counts = new Map<string, number>();
  for (const upload of uploads) counts.set(upload.from, (counts.get(upload.from) ?? 0) + 1);
  const own = counts.get(from) ?? 0;
  const isOwnFull = own >= uploadBounds.openPerSender;
  if (uploads.length < most && !isOwnFull) return undefined;
  const quiet = oldestFirst(uploads).filter(({ lastByteAt }) => now - lastByteAt >= uploadBounds.displacedAfterMs);
  const largest = Math.max(0, ...quiet.map((upload) => counts.get(upload.from) ?? 0));
  const leaving = isOwnFull
    ? quiet.find((upload) => upload.from === from)
    : quiet.find((upload) => counts.get(upload.from) === largest && largest > own);
  if (leaving !== undefined) return leaving.key;
  throw new SkulkError(
    'STORE_BUSY',
    isOwnFull ? `${own} uploads from ${from} are open, which is the limit` : `${uploads.length} uploads are open, which is the limit`,
    { hint: 'finish one, or cancel one with `skulk uploads --cancel ID`', retryAfterMs: 5_000 },
  );
}

/**
 * Checks what an upload may reserve beside the others of its sender. Pure.
 * @throws SkulkError NO_SPACE
 */
export function checkShare(
  { bytes, room, from }: { readonly bytes: number; readonly room: number; readonly from: string },
  uploads: readonly OpenUpload[],
  now: number,
): void {
  const own = reservedBytes(uploads, now, from);
  if (own === 0 || own + bytes <= room * uploadBounds.shareOfRoom) return;
  throw new SkulkError(
    'NO_SPACE',
    `the uploads from ${from} already need ${formatBytes(own)}, and this one needs ${formatBytes(bytes)} more`,
    {
      hint: 'wait until one has ended, or cancel one with `skulk uploads --cancel ID`',
    },
  );
}

/** The uploads that may be removed for want of room, the first to go first. Pure. */
export const idleUploads = <U extends OpenUpload>(uploads: readonly U[], now: number): readonly U[] =>
  oldestFirst(uploads).filter(({ lastByteAt }) => now - lastByteAt >= uploadBounds.idleAfterMs);

const oldestFirst = <U extends OpenUpload>(uploads: readonly U[]): readonly U[] => uploads.toSorted((a, b) => a.lastByteAt - b.lastByteAt);
