import { SkulkError } from '../kernel/errors.ts';
import type { PieceRequest } from '../store/contract.ts';

/** The target of a request for a piece of a file. */
export const pieceTarget = ({ modelId, path }: Pick<PieceRequest, 'modelId' | 'path'>): string =>
  ['/models', encodeURIComponent(modelId), ...path.split('/').map(encodeURIComponent)].join('/');

/** The additional headers: the range, and the expected content. */
export const pieceHeaders = ({ range: { start, end }, sha256 }: PieceRequest): Readonly<Record<string, string>> => ({
  Range: `bytes=${start}-${end - 1}`,
  'If-Range': `"${sha256}"`,
});

/** The piece, for messages. */
export const pieceName = ({ modelId, path }: PieceRequest): string => `${modelId}: ${path}`;

/** Statuses that `checkPieceHead` handles; every other one is a refusal. */
export const pieceStatuses: readonly number[] = [200, 206, 416];

/**
 * Checks that an answer is exactly the requested piece.
 * @param header returns a header by its name in lower case
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
    // A piece may be its whole file.
    if (start === 0 && length === end) return;
    // A store sends the whole file if its content differs from the expected one.
    throw etag === undefined
      ? changed('its content has changed')
      : notPassedOn(request, 'it sent the whole file instead of the requested part');
  }
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(header('content-range') ?? '') ?? [];
  const isRight = Number(first) === start && Number(last) === end - 1 && (total === '*' || Number(total) >= end);
  if (!isRight) throw notPassedOn(request, 'it sent a different range than requested');
  if (length !== end - start) throw notPassedOn(request, 'it announced a different number of bytes than requested');
}

/** The error if the content is right but was not sent as a store does, e.g. through a proxy. */
const notPassedOn = (request: PieceRequest, why: string): SkulkError =>
  new SkulkError('INTEGRITY', `cannot fetch a part of ${pieceName(request)}: ${why}`, {
    hint: 'a proxy between this machine and the store does not support range requests; use the address of the store itself',
  });

/** The error if the store's content does not match its manifest. */
export const pieceChanged = (request: PieceRequest, why: string): SkulkError =>
  new SkulkError('INTEGRITY', `the store sent ${pieceName(request)}, but not as its manifest describes it: ${why}`, {
    hint: 'run the command again; if it persists, run `skulk verify` on the store host',
  });
