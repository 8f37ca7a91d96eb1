import { SkulkError } from '../kernel/errors.ts';
import type { PieceRequest } from '../store/contract.ts';
import type { Exchange } from './http/exchange.ts';
import { chunksOf } from './http/read-body.ts';
import { checkPieceHead, pieceChanged, pieceHeaders, pieceName, pieceStatuses, pieceTarget } from './piece-answer.ts';

/**
 * The bytes of one piece, exactly as many as asked for, of exactly the content that was asked for.
 * @throws SkulkError INTEGRITY when the store has other content or answers another range; STORE_UNREACHABLE when it breaks off;
 *   FILE_NOT_FOUND, MODEL_NOT_FOUND; the signal's reason
 */
export async function* readPiece(exchange: Exchange, request: PieceRequest, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const { start, end } = request.range;
  if (end <= start) return;
  const call = { path: pieceTarget(request), headers: pieceHeaders(request), accept: pieceStatuses, signal };
  yield* exchange.stream(call, async function* (response, watchdog) {
    checkPieceHead(response.status, (name) => response.headers.get(name), request);
    const expected = end - start;
    let received = 0;
    for await (const chunk of chunksOf(response, watchdog)) {
      received += chunk.length;
      if (received > expected) throw pieceChanged(request, `it sent more than the ${expected} requested bytes`);
      yield chunk;
    }
    if (received < expected) {
      throw new SkulkError(
        'STORE_UNREACHABLE',
        `the store at ${exchange.url} closed the connection after ${received} of ${expected} bytes of ${pieceName(request)}`,
        { hint: 'run the command again; verified bytes are kept' },
      );
    }
  });
}
