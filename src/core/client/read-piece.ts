import { SkulkError } from '../kernel/errors.ts';
import type { PieceRequest } from '../store/contract.ts';
import type { Exchange } from './http/exchange.ts';
import { chunksOf } from './http/read-body.ts';
import { checkPieceHead, pieceChanged, pieceHeaders, pieceName, pieceStatuses, pieceTarget } from './piece-answer.ts';

/**
 * The bytes of one piece: exactly the requested number, and exactly the expected content.
 * @throws SkulkError INTEGRITY if the store has other content or answers with another range; STORE_UNREACHABLE if the connection breaks;
 * FILE_NOT_FOUND, MODEL_NOT_FOUND; the signal's reason
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
