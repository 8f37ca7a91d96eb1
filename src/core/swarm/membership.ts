import type { Sha256 } from '../kernel/sha256.ts';
import type { SwarmAnswer, SwarmBody } from '../protocol/staging.ts';

/** What a node needs to ask its store about a swarm. */
export interface MembershipTools {
  /** Asks the store how to take the model. Any failure means the wire. */
  readonly ask: (body: SwarmBody, signal: AbortSignal) => Promise<SwarmAnswer>;
  /** Whether peers can be reached at this TCP port of the store host. */
  readonly reaches: (port: number, signal: AbortSignal) => Promise<boolean>;
  readonly onNote: (message: string) => void;
}

/** The answer to a node that is not in a swarm yet. */
export type Look = { readonly torrent: Buffer } | { readonly torrent?: undefined; readonly isSoon: boolean };

/** The place of a node in the swarm of one model, as its store knows it. */
export interface Membership {
  /** Asks for the state of the swarm; undefined without a useful answer. */
  ask(body: Partial<SwarmBody>, signal: AbortSignal): Promise<SwarmAnswer | undefined>;
  /** Asks whether there are peers that this node can reach; undefined without a useful answer. */
  look(signal: AbortSignal): Promise<Look | undefined>;
  /** Tells the store that the node has left, if it was a member. */
  leave(signal: AbortSignal): Promise<void>;
  /** What the store has said until now. */
  readonly known: {
    /** The secret key of this node; undefined before the first answer. */
    readonly member: string | undefined;
    /** The largest number of nodes that took the model at the same time. */
    readonly members: number;
    /** What the store had sent to all nodes of the swarm, in bytes. */
    readonly hostSentBytes: number;
    /** The time of the last question, in milliseconds of a monotonic clock. */
    readonly askedAt: number;
  };
}

/** @param digest of the model's manifest */
export function createMembership(digest: Sha256, { ask: send, reaches, onNote }: MembershipTools): Membership {
  const known = { member: undefined as string | undefined, members: 1, hostSentBytes: 0, askedAt: Number.NEGATIVE_INFINITY };
  let torrent: string | undefined;
  let isNoted = false;
  const ask = async (body: Partial<SwarmBody>, signal: AbortSignal): Promise<SwarmAnswer | undefined> => {
    known.askedAt = performance.now();
    const { member } = known;
    const answer = await send({ digest, ...(member !== undefined && { member }), ...body }, signal).catch(() => undefined);
    if (answer === undefined || answer.member === '') return undefined;
    known.member = answer.member;
    known.members = Math.max(known.members, answer.members);
    known.hostSentBytes = Math.max(known.hostSentBytes, answer.host_sent_bytes);
    return answer;
  };
  return {
    known,
    ask,
    // A node leaves the wire only for a peer that it can reach, so that a firewall costs no time.
    look: async (signal) => {
      const answer = await ask(torrent === undefined ? {} : { has_torrent: true }, signal);
      if (answer === undefined) return undefined;
      torrent ??= answer.torrent;
      const { state, host_port: port } = answer;
      if (state === 'wire' || torrent === undefined) return { isSoon: answer.members > 1 };
      if (port === undefined || (await reaches(port, signal))) return { torrent: Buffer.from(torrent, 'base64') };
      signal.throwIfAborted();
      if (!isNoted) onNote(`fetching from the store alone: TCP port ${port} of the store host, for peers, cannot be reached`);
      isNoted = true;
      return { isSoon: false };
    },
    leave: async (signal) => {
      if (known.member !== undefined) await ask({ leaves: true }, signal);
    },
  };
}
