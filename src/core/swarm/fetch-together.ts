import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pause } from '../kernel/flow/backoff.ts';
import { mapConcurrently } from '../kernel/flow/concurrency.ts';
import type { Manifest } from '../protocol/manifest.ts';
import { runHashJob } from '../transfer/hashing/hash-pool.ts';
import { type Piece, splitIntoPieces } from '../transfer/pieces.ts';
import type { WorkPlace } from '../transfer/work-place.ts';
import { createWire, type Pieces, type Wire } from './fetch-by-wire.ts';
import { aria2Record, fetchWithPeers, type PeerSettings } from './fetch-with-peers.ts';
import { createMembership, type Look, type Membership, type MembershipTools } from './membership.ts';

/** What a node needs to share a model with others. */
export interface TogetherTools extends MembershipTools {
  /** All files of the model in the store. */
  readonly manifest: Manifest;
  readonly place: WorkPlace;
  readonly settings: PeerSettings;
  /** The URL of the tracker for a member. */
  readonly announce: (member: string) => string;
  /** Fetches from the store alone. */
  readonly fetchByWire: (plan: Pieces) => Promise<void>;
  /** Called when the number of nodes that take the model changes; 1 while it comes from the store alone. */
  readonly onMembers?: (members: number) => void;
  /** How often to ask, in milliseconds (2 s). */
  readonly askEveryMs?: number;
  /** How long no byte may arrive from peers, in milliseconds (20 s). */
  readonly stallMs?: number;
}

/** How a model came. Numbers are bytes that were sent, including repeated and wrong ones. */
export interface TogetherOutcome {
  readonly bytesBySwarm: number;
  readonly bytesByWire: number;
  /** What the store had sent to all nodes of the swarm, when this node asked last. */
  readonly hostSentBytes: number;
  /** The largest number of nodes that took the model at the same time. */
  readonly members: number;
}

/** While a swarm is being prepared, waiting longer only means that the store sends the same to everybody. */
const askSoonMs = 500;

/**
 * Fetches pieces over the wire, and shares them with other nodes as soon as the store says that there are others. Every piece from peers is
 * verified before it counts; what is missing or wrong then comes by the wire.
 * @throws as `fetchByWire`
 */
export async function fetchTogether(plan: Pieces, tools: TogetherTools): Promise<TogetherOutcome> {
  const { manifest, settings, onNote, onMembers = () => undefined, askEveryMs = 2_000, stallMs = 20_000 } = tools;
  const missing = new Set(plan.pieces);
  const wire = createWire(plan, missing, tools.fetchByWire);
  const membership = createMembership(manifest.digest, tools);
  const { known } = membership;
  let bytesBySwarm = 0;
  const outcome = (): TogetherOutcome => ({
    bytesBySwarm,
    bytesByWire: wire.bytes(),
    hostSentBytes: known.hostSentBytes,
    members: known.members,
  });
  try {
    let found = await membership.look(plan.signal);
    if (found === undefined) await wire.fetch({});
    else if (found.torrent === undefined) found = await wireUntilSwarm(wire, { first: found, membership, askEveryMs, signal: plan.signal });
    if (missing.size === 0 || found?.torrent === undefined || known.member === undefined) {
      if (missing.size > 0) await wire.fetch({ pieces: [...missing] });
      return outcome();
    }
    const wanted = findWanted(missing, manifest);
    onMembers(known.members);
    await fetchWithPeers({
      ...settings,
      manifest,
      wanted,
      missing: [...missing],
      place: tools.place,
      torrent: found.torrent,
      announce: tools.announce(known.member),
      signal: plan.signal,
      stallMs,
      onBytes: (bytes) => {
        bytesBySwarm += bytes;
        plan.onBytes(bytes);
      },
      onLook: async () => {
        if (performance.now() - known.askedAt < askEveryMs) return;
        const now = await membership.ask({ has_torrent: true }, plan.signal);
        if (now !== undefined) onMembers(now.members);
      },
    }).catch((error: unknown) => {
      if (plan.signal.aborted) throw plan.signal.reason;
      onNote(`fetching from the store alone: ${(error as Error).message}`);
    });
    onMembers(1);
    // They count again, piece by piece, when they are verified.
    plan.onDiscarded(bytesBySwarm);
    const wrong = await checkFiles(wanted, { missing, plan, manifest });
    await rm(aria2Record(tools.place), { force: true });
    // What peers wrote is not a part that the wire may continue.
    if (wrong.length > 0) await wire.fetch({ pieces: wrong, partOf: () => 0 });
    return outcome();
  } finally {
    await membership.leave(AbortSignal.timeout(2_000));
  }
}

/** Fetches by the wire until everything is here, or until there are peers. @returns the last answer */
async function wireUntilSwarm(
  wire: Wire,
  {
    first,
    membership,
    askEveryMs,
    signal,
  }: {
    readonly first: Look;
    readonly membership: Membership;
    readonly askEveryMs: number;
    readonly signal: AbortSignal;
  },
): Promise<Look> {
  const swarm = new AbortController();
  const over = new AbortController();
  let last = first;
  const either = AbortSignal.any([signal, over.signal]);
  const asking = (async () => {
    while (!over.signal.aborted) {
      const isSoon = last.torrent === undefined && last.isSoon;
      await pause(isSoon ? Math.min(askSoonMs, askEveryMs) : askEveryMs, either);
      const answer = await membership.look(either);
      if (answer === undefined || over.signal.aborted) continue;
      last = answer;
      if (answer.torrent !== undefined) return swarm.abort();
    }
  })().catch(() => undefined);
  try {
    await wire.fetch({ signal: AbortSignal.any([signal, swarm.signal]) });
  } catch (error) {
    if (signal.aborted || !swarm.signal.aborted) throw error;
  } finally {
    over.abort();
    await asking;
  }
  return last;
}

/** The files with missing pieces, if the store has the same content. */
function findWanted(missing: ReadonlySet<Piece>, { files }: Manifest): ReadonlySet<string> {
  const known = new Map(files.map(({ path, sha256 }) => [path, sha256]));
  const same = [...missing].filter(({ path, fileSha256, end }) => end > 0 && known.get(path) === fileSha256);
  return new Set(same.map(({ path }) => path));
}

/**
 * Verifies every piece of the files that peers wrote to, also pieces that were here before: a wrong block may have been written over them.
 * @returns the pieces to fetch by the wire
 */
async function checkFiles(
  wanted: ReadonlySet<string>,
  { missing, plan, manifest }: { readonly missing: Set<Piece>; readonly plan: Pieces; readonly manifest: Manifest },
): Promise<readonly Piece[]> {
  const wrong: Piece[] = [...missing].filter(({ path }) => !wanted.has(path));
  const files = manifest.files.filter(({ path }) => wanted.has(path));
  await mapConcurrently(files, availableParallelism(), async (file) => {
    const asked = new Map([...missing].filter(({ path }) => path === file.path).map((piece) => [piece.start, piece]));
    const pieces = splitIntoPieces(file).map((piece) => asked.get(piece.start) ?? piece);
    const path = join(plan.directory, file.path);
    const good = await runHashJob({ kind: 'check', path, pieces }, { signal: plan.signal }).catch(() => {
      if (plan.signal.aborted) throw plan.signal.reason;
      return pieces.map(() => false);
    });
    for (const [index, piece] of pieces.entries()) {
      if (good[index] !== true) wrong.push(piece);
      else if (missing.delete(piece)) {
        plan.onResumed?.(piece.end - piece.start);
        await plan.onVerified(piece, piece.sha256);
      }
    }
  });
  return wrong;
}
