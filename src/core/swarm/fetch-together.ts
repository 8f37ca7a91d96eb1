import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pause } from '../kernel/flow/backoff.ts';
import { mapConcurrently } from '../kernel/flow/concurrency.ts';
import type { Manifest } from '../protocol/manifest.ts';
import type { SwarmAnswer, SwarmBody } from '../protocol/staging.ts';
import type { PiecesPlan } from '../store/contract.ts';
import { runHashJob } from '../transfer/hashing/hash-pool.ts';
import { type Piece, splitIntoPieces } from '../transfer/pieces.ts';
import type { WorkPlace } from '../transfer/work-place.ts';
import { aria2Record, fetchWithPeers, type PeerSettings } from './fetch-with-peers.ts';

type Pieces = Omit<PiecesPlan, 'connections'>;

/** What a node needs to take a model together with others. */
export interface TogetherTools {
  /** All files of the model in the store. */
  readonly manifest: Manifest;
  readonly place: WorkPlace;
  readonly settings: PeerSettings;
  /** Asks the store how to take the model. Any failure means the wire. */
  readonly ask: (body: SwarmBody, signal: AbortSignal) => Promise<SwarmAnswer>;
  /** The URL of the tracker for a member. */
  readonly announce: (member: string) => string;
  /** Fetches from the store alone. */
  readonly fetchByWire: (plan: Pieces) => Promise<void>;
  readonly onNote: (message: string) => void;
  /** Whether peers can be reached at this TCP port of the store host. */
  readonly reaches: (port: number, signal: AbortSignal) => Promise<boolean>;
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

/** The answer to a node that is not in a swarm yet. */
type Look = { readonly torrent: Buffer } | { readonly torrent?: undefined; readonly isSoon: boolean };

/** While a swarm is being prepared, waiting longer only means that the store sends the same to everybody. */
const askSoonMs = 500;

/**
 * Fetches pieces by the wire, and together with other nodes as soon as the store says that there are others. Every piece from peers is
 * verified before it counts; what is missing or wrong then comes by the wire.
 * @throws as `fetchByWire`
 */
export async function fetchTogether(plan: Pieces, tools: TogetherTools): Promise<TogetherOutcome> {
  const { manifest, settings, onNote, onMembers = () => undefined, askEveryMs = 2_000, stallMs = 20_000 } = tools;
  const missing = new Set(plan.pieces);
  let [bytesBySwarm, bytesByWire, hostSentBytes, members] = [0, 0, 0, 1];
  let member: string | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  const ask = async (body: Partial<SwarmBody>, signal = plan.signal): Promise<SwarmAnswer | undefined> => {
    askedAt = performance.now();
    const answer = await tools
      .ask({ digest: manifest.digest, ...(member !== undefined && { member }), ...body }, signal)
      .catch(() => undefined);
    if (answer === undefined || answer.member === '') return undefined;
    member = answer.member;
    members = Math.max(members, answer.members);
    hostSentBytes = Math.max(hostSentBytes, answer.host_sent_bytes);
    return answer;
  };
  const wire = async (more: Partial<Pieces>): Promise<void> => {
    // What a wire that is cut off has received of unfinished pieces.
    let unfinished = 0;
    try {
      await tools.fetchByWire({
        ...plan,
        onBytes: (bytes) => {
          bytesByWire += bytes;
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
  const outcome = (): TogetherOutcome => ({ bytesBySwarm, bytesByWire, hostSentBytes, members });

  let torrent: string | undefined;
  let isNoted = false;
  // A node leaves the wire only for a peer that it can reach, so that a firewall costs no time.
  const look = async (signal = plan.signal): Promise<Look | undefined> => {
    const answer = await ask(torrent === undefined ? {} : { has_torrent: true }, signal);
    if (answer === undefined) return undefined;
    torrent ??= answer.torrent;
    const { state, host_port: port } = answer;
    if (state === 'wire' || torrent === undefined) return { isSoon: answer.members > 1 };
    if (port === undefined || (await tools.reaches(port, signal))) return { torrent: Buffer.from(torrent, 'base64') };
    signal.throwIfAborted();
    if (!isNoted) onNote(`fetching from the store alone: TCP port ${port} of the store host, for peers, cannot be reached`);
    isNoted = true;
    return { isSoon: false };
  };

  try {
    let found = await look();
    if (found === undefined) await wire({});
    else if (found.torrent === undefined) found = await wireUntilSwarm(wire, { first: found, look, askEveryMs, signal: plan.signal });
    if (missing.size === 0 || found?.torrent === undefined || member === undefined) {
      if (missing.size > 0) await wire({ pieces: [...missing] });
      return outcome();
    }
    const wanted = findWanted(missing, manifest);
    onMembers(members);
    await fetchWithPeers({
      ...settings,
      manifest,
      wanted,
      missing: [...missing],
      place: tools.place,
      torrent: found.torrent,
      announce: tools.announce(member),
      signal: plan.signal,
      stallMs,
      onBytes: (bytes) => {
        bytesBySwarm += bytes;
        plan.onBytes(bytes);
      },
      onLook: async () => {
        if (performance.now() - askedAt < askEveryMs) return;
        const now = await ask({ has_torrent: true });
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
    if (wrong.length > 0) await wire({ pieces: wrong, partOf: () => 0 });
    return outcome();
  } finally {
    if (member !== undefined) await ask({ leaves: true }, AbortSignal.timeout(2_000));
  }
}

/** Fetches by the wire until everything is here, or until there are peers. @returns the last answer */
async function wireUntilSwarm(
  wire: (more: Partial<Pieces>) => Promise<void>,
  {
    first,
    look,
    askEveryMs,
    signal,
  }: {
    readonly first: Look;
    readonly look: (signal: AbortSignal) => Promise<Look | undefined>;
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
      const answer = await look(either);
      if (answer === undefined || over.signal.aborted) continue;
      last = answer;
      if (answer.torrent !== undefined) return swarm.abort();
    }
  })().catch(() => undefined);
  try {
    await wire({ signal: AbortSignal.any([signal, swarm.signal]) });
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
