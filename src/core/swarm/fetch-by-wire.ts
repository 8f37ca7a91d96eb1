import type { PiecesPlan } from '../store/contract.ts';
import type { Piece } from '../transfer/pieces.ts';

/** The pieces of a plan for a swarm; the number of connections is decided elsewhere. */
export type Pieces = Omit<PiecesPlan, 'connections'>;

/** Fetches pieces of one plan from the store alone, and counts their bytes. */
export interface Wire {
  /** @throws as the fetch that it was made of */
  fetch(more: Partial<Pieces>): Promise<void>;
  /** The bytes that came by the wire, including repeated and wrong ones. */
  readonly bytes: () => number;
}

/** @param missing the pieces that are not verified; each is removed once it is */
export function createWire(plan: Pieces, missing: Set<Piece>, fetchByWire: (plan: Pieces) => Promise<void>): Wire {
  let received = 0;
  const fetch = async (more: Partial<Pieces>): Promise<void> => {
    // What a wire that is cut off has received of unfinished pieces.
    let unfinished = 0;
    try {
      await fetchByWire({
        ...plan,
        onBytes: (bytes) => {
          received += bytes;
          unfinished += bytes;
          plan.onBytes(bytes);
        },
        onResumed: (bytes) => {
          unfinished += bytes;
          plan.onResumed?.(bytes);
        },
        onDiscarded: (bytes) => {
          unfinished -= bytes;
          plan.onDiscarded(bytes);
        },
        onVerified: async (piece, sha256) => {
          unfinished -= piece.end - piece.start;
          if (missing.delete(piece)) await plan.onVerified(piece, sha256);
        },
        ...more,
      });
    } catch (error) {
      plan.onDiscarded(unfinished);
      throw error;
    }
  };
  return { fetch, bytes: () => received };
}
