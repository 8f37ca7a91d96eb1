import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { availableParallelism } from 'node:os';
import type { ModelId } from '../kernel/model-id.ts';
import type { PiecesPlan } from '../store/contract.ts';
import { fetchPieces } from '../transfer/fetch-pieces.ts';
import type { Exchange } from './http/exchange.ts';
import { mapNetworkError } from './http/map-failure.ts';
import { isTransient } from './http/transient.ts';
import { readPiece } from './read-piece.ts';
import { fetchOverWire } from './wire/fetch-over-wire.ts';
import type { WireTarget } from './wire/piece-reader.ts';
import { planThreads } from './wire/plan-threads.ts';

/** The default number of connections of the ordinary client. */
const usualConnections = 4;

/**
 * Fetches pieces of a model's files from a store, and verifies each: over raw connections on threads, and pieces that those do not
 * support with the ordinary client.
 * @throws SkulkError INTEGRITY, NO_SPACE, STORE_UNREACHABLE, STORE_BUSY, FILE_NOT_FOUND, MODEL_NOT_FOUND; the signal's reason
 */
export async function fetchStorePieces(
  modelId: ModelId,
  { connections, ...plan }: PiecesPlan,
  { target, lookup, exchange }: { readonly target: WireTarget; readonly lookup: LookupFunction | undefined; readonly exchange: Exchange },
): Promise<void> {
  const bytes = plan.pieces.reduce((sum, { start, end }) => sum + end - start, 0);
  const threads = planThreads({ bytes, cores: availableParallelism(), asked: connections });
  const addresses = await resolve(target.url, lookup);
  const settings = { target, addresses, modelId, directory: plan.directory, policy: plan.policy };
  const left = await fetchOverWire(settings, { ...plan, threads });
  if (left.length === 0) return;
  await fetchPieces({
    ...plan,
    pieces: left,
    connections: connections ?? usualConnections,
    isTransient,
    read: ({ path, start, end, fileSha256 }, signal) =>
      readPiece(exchange, { modelId, path, range: { start, end }, sha256: fileSha256 }, signal),
  });
}

/** Resolves a store's name once for all threads; undefined if the system's own lookup is used. */
function resolve(url: string, lookup: LookupFunction | undefined): Promise<readonly LookupAddress[] | undefined> {
  if (lookup === undefined) return Promise.resolve(undefined);
  return new Promise((settle, reject) =>
    lookup(new URL(url).hostname, { all: true }, (error, addresses) => {
      if (error) reject(mapNetworkError(error, url));
      else settle(addresses as unknown as LookupAddress[]);
    }),
  );
}
