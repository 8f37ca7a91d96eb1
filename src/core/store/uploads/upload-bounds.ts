import { SkulkError } from '../../kernel/errors.ts';
import { formatBytes } from '../../kernel/units.ts';

/** The data of an open upload for distributing space; sizes in bytes, times in milliseconds since 1970. */
export interface OpenUpload {
  readonly key: string;
  readonly from: string;
  readonly bytesLeft: number;
  readonly lastByteAt: number;
}

/** The common limits of all uploads. Times are in milliseconds. */
export const uploadBounds = {
  /** Per model. */
  pieces: 400_000,
  open: 64,
  openPerSender: 16,
  /** A sender with several open uploads gets at most this part of the space. */
  shareOfRoom: 0.8,
  /** An upload without new data for this long reserves no space any more: its rest may never come. */
  reservedForMs: 10 * 60_000,
  /** If there are too many uploads, one without new data for this long gives way to a sender with fewer uploads. */
  displacedAfterMs: 60_000,
  /** If space is short, uploads without new data for this long are removed, the oldest first. */
  idleAfterMs: 3600_000,
  /** How long an unfinished upload can be resumed if there is space. */
  staleAfterMs: 7 * 24 * 3600_000,
} as const;

/** The bytes that running uploads still need, except one upload. Pure. */
export function reservedBytes(uploads: readonly OpenUpload[], now: number, from?: string): number {
  return uploads
    .filter((upload) => now - upload.lastByteAt < uploadBounds.reservedForMs && (from === undefined || upload.from === from))
    .reduce((sum, { bytesLeft }) => sum + bytesLeft, 0);
}

/**
 * Decides whether another upload may begin, and which one gives way. Pure.
 * @returns the key of the upload that gives way, or undefined if there is a free slot
 * @throws SkulkError STORE_BUSY
 */
export function planPlace(uploads: readonly OpenUpload[], from: string, now: number, max: number = uploadBounds.open): string | undefined {
  const counts = new Map<string, number>();
  for (const upload of uploads) counts.set(upload.from, (counts.get(upload.from) ?? 0) + 1);
  const own = counts.get(from) ?? 0;
  const isOwnFull = own >= uploadBounds.openPerSender;
  if (uploads.length < max && !isOwnFull) return undefined;
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
 * Checks what an upload may reserve in addition to the sender's other uploads. Pure.
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

/** The uploads that may be removed if space is short, in the order of removal. Pure. */
export const idleUploads = <U extends OpenUpload>(uploads: readonly U[], now: number): readonly U[] =>
  oldestFirst(uploads).filter(({ lastByteAt }) => now - lastByteAt >= uploadBounds.idleAfterMs);

const oldestFirst = <U extends OpenUpload>(uploads: readonly U[]): readonly U[] => uploads.toSorted((a, b) => a.lastByteAt - b.lastByteAt);
