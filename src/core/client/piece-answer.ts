import { SkulkError } from '../kernel/errors.ts';
import type { PieceRequest } from '../store/contract.ts';

/** What is asked for a piece of a file: its bytes, and only of the content that is meant. */
export const pieceTarget = ({ modelId, path }: Pick<PieceRequest, 'modelId' | 'path'>): string =>
  ['/models', encodeURIComponent(modelId), ...path.split('/').map(encodeURIComponent)].join('/');

/** The headers beside those of every request. */
export const pieceHeaders = ({ range: { start, end }, sha256 }: PieceRequest): Readonly<Record<string, string>> => ({
  Range: `bytes=${start}-${end - 1}`,
  'If-Range': `"${sha256}"`,
});

/** The piece, for messages. */
export const pieceName = ({ modelId, path }: PieceRequest): string => `${modelId}: ${path}`;

/** Statuses that `checkPieceHead` judges; every other one is a refusal. */
export const pieceStatuses: readonly number[] = [200, 206, 416];

/**
 * Whether an answer is the piece that was asked for, and nothing but that.
 * @param header a header by its name in lower case
 * @throws SkulkError INTEGRITY
 */
export function checkPieceHead(status: number, header: (name: string) => string | null | undefined, request: PieceRequest): void {
  const { start, end } = request.range;
  const changed = (why: string): SkulkError => pieceChanged(request, why);
  if (status === 416) throw changed('it is shorter now');
  const etag = header('etag') ?? undefined;
  if (etag !== undefined && etag !== `"${request.sha256}"`) throw changed('its content has changed');
  const length = Number(header('content-length') ?? Number.NaN);
  const coding = header('content-encoding') ?? 'identity';
  if (coding !== 'identity') throw notPassedOn(request, `it was sent compressed (${coding.slice(0, 20)})`);
  if (status === 200) {
    // A piece may be all of its file.
    if (start === 0 && length === end) return;
    // A store sends all of a file when its content is another one than the one that was asked for.
    throw etag === undefined
      ? changed('its content has changed')
      : notPassedOn(request, 'it sent the whole file instead of the requested part');
  }
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(header('content-range') ?? '') ?? [];
  const isRight = Number(first) === start && Number(last) === end - 1 && (total === '*' || Number(total) >= end);
  if (!isRight) throw notPassedOn(request, 'it sent a different range than requested');
  if (length !== end - start) throw notPassedOn(request, 'it announced a different number of bytes than requested');
}

/** What answers has the right content and sends it in another way than a store does. */
const notPassedOn = (request: PieceRequest, why: string): SkulkError =>
  new SkulkError('INTEGRITY', `cannot fetch a part of ${pieceName(request)}: ${why}`, {
    hint: 'a proxy between this machine and the store does not support range requests; use the address of the store itself',
  });

/** The store does not have what its manifest says. */
export const pieceChanged = (request: PieceRequest, why: string): SkulkError =>
  new SkulkError('INTEGRITY', `the store sent ${pieceName(request)}, but not as its manifest describes it: ${why}`, {
    hint: 'run the command again; if it persists, run `skulk verify` on the store host',
  });
