import { SkulkError } from '../kernel/errors.ts';
import type { PieceRequest } from '../store/contract.ts';
import type { Exchange } from './exchange.ts';
import type { Response } from './fetch.ts';
import { chunksOf } from './read-body.ts';

/**
 * The bytes of one piece, exactly as many as asked for, of exactly the content that was asked for.
 * @throws SkulkError INTEGRITY when the store has other content or answers another range; STORE_UNREACHABLE when it breaks off;
 *   FILE_NOT_FOUND, MODEL_NOT_FOUND; the signal's reason
 */
export async function* readPiece(exchange: Exchange, request: PieceRequest, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const { modelId, path, range, sha256 } = request;
  const { start, end } = range;
  if (end <= start) return;
  const call = {
    path: ['/models', encodeURIComponent(modelId), ...path.split('/').map(encodeURIComponent)].join('/'),
    headers: { Range: `bytes=${start}-${end - 1}`, 'If-Range': `"${sha256}"` },
    accept: [200, 206, 416],
    signal,
  };
  const what = `${modelId}: ${path}`;
  yield* exchange.stream(call, async function* (response, watchdog) {
    checkHead(response, request, what);
    const expected = end - start;
    let received = 0;
    for await (const chunk of chunksOf(response, watchdog)) {
      received += chunk.length;
      if (received > expected) throw changed(what, `it sent more than the ${expected} bytes that were asked for`);
      yield chunk;
    }
    if (received < expected) {
      throw new SkulkError(
        'STORE_UNREACHABLE',
        `the store at ${exchange.url} broke off after ${received} of ${expected} bytes of ${what}`,
        { hint: 'run the command again; verified bytes are kept' },
      );
    }
  });
}

function checkHead({ status, headers }: Response, { range: { start, end }, sha256 }: PieceRequest, what: string): void {
  if (status === 200) throw changed(what, 'its content is another one now');
  if (status === 416) throw changed(what, 'it is shorter now');
  const etag = headers.get('etag');
  if (etag !== null && etag !== `"${sha256}"`) throw changed(what, 'its content is another one now');
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers.get('content-range') ?? '') ?? [];
  const isRight = Number(first) === start && Number(last) === end - 1 && (total === '*' || Number(total) >= end);
  if (!isRight) throw changed(what, 'it sent another range than the one that was asked for');
  if (Number(headers.get('content-length') ?? Number.NaN) !== end - start)
    throw changed(what, 'it promised another number of bytes than were asked for');
  if ((headers.get('content-encoding') ?? 'identity') !== 'identity') throw changed(what, 'it sent the bytes in a compressed form');
}

const changed = (what: string, why: string): SkulkError =>
  new SkulkError('INTEGRITY', `the store did not send what its manifest says of ${what}: ${why}`, {
    hint: 'run the command again; if it persists, run `skulk verify` on the store host',
  });
