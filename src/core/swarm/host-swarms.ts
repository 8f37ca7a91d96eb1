import { isIPv4 } from 'node:net';
import type { ModelId } from '../kernel/model-id.ts';
import { makeSecret } from '../kernel/secret.ts';
import { isSha256 } from '../kernel/sha256.ts';
import type { Manifest } from '../protocol/manifest.ts';
import type { SwarmAnswer, SwarmBody, SwarmList } from '../protocol/staging.ts';
import type { LocalStore } from '../store/local-store.ts';
import {
  alone,
  answerMember,
  beginSwarm,
  type DescribedSwarm,
  describeSwarm,
  dismissMember,
  dropSilent,
  type Swarm,
} from './host-swarm.ts';
import { createPreparation, type PreparationTools } from './prepare-swarm.ts';
import type { Seeding } from './seeding.ts';
import type { Torrents } from './torrents.ts';
import { plainAddress, refusal } from './tracker.ts';

/** The swarms of a store host: who takes which model, and whether they share it. */
export interface HostSwarms {
  /** Whether nodes may share a model now. */
  isOffered(manifest: Manifest): Promise<boolean>;
  /** Answers a node how to take a model. @param from its address */
  ask(modelId: ModelId, body: SwarmBody, from: string): Promise<SwarmAnswer>;
  /** The answer of the tracker. @param target of the request, with its query */
  announce(target: string, addresses: { readonly from: string; readonly at: string }): Buffer;
  list(): Promise<SwarmList>;
  /** Ends all swarms, e.g. if the disk is no longer there. */
  endAll(): Promise<void>;
  close(): Promise<void>;
}

/** What swarms need of a store host. */
export interface HostSwarmsOptions extends Omit<PreparationTools, 'store' | 'isWanted'> {
  readonly store: Pick<LocalStore, 'manifest' | 'onRemoved' | 'requireDisk'>;
  readonly seeding: Seeding;
  readonly torrents: Torrents;
  /** Whether models of this size may be shared now. */
  readonly isAllowed: (bytes: number) => Promise<boolean>;
  readonly now: () => Date;
  /** Milliseconds of a monotonic clock. */
  readonly clock?: () => number;
}

/** A swarm without members ends after this time, and with the last one aria2. */
const idleAfterMs = 5 * 60_000;
const lookEveryMs = 5_000;
const maxSwarms = 100;
const maxMembers = 1_000;
const maxRecent = 20;

/** Starts nothing before two nodes want one model. */
export function createHostSwarms(options: HostSwarmsOptions): HostSwarms {
  const { isAllowed, now, clock = () => performance.now(), ...tools } = options;
  const { store, seeding, torrents, signal } = tools;
  const swarms = new Map<string, Swarm>();
  const recent: DescribedSwarm[] = [];
  const closing = new AbortController();
  const prepare = createPreparation({
    ...tools,
    signal: AbortSignal.any([signal, closing.signal]),
    isWanted: (swarm) => swarms.get(swarm.manifest.digest) === swarm,
  });

  const isOffered = ({ files }: Manifest): Promise<boolean> => isAllowed(files.reduce((sum, { size }) => sum + size, 0));
  const count = async (swarm: Swarm): Promise<void> => {
    if (swarm.ready !== undefined) swarm.sent = Math.max(swarm.sent, await seeding.sent(swarm.manifest.digest));
  };
  const end = async (digest: string, swarm: Swarm): Promise<void> => {
    swarms.delete(digest);
    await swarm.preparing;
    if (swarm.ready === undefined) return;
    await count(swarm).catch(() => undefined);
    recent.unshift(describeSwarm({ ...swarm, members: new Map() }, now().toISOString()));
    recent.length = Math.min(recent.length, maxRecent);
    await seeding.end(digest);
  };
  const open = async (modelId: ModelId, digest: string): Promise<Swarm | undefined> => {
    const known = swarms.get(digest);
    if (known !== undefined) return known.modelId === modelId ? known : undefined;
    const answer = await store.manifest(modelId);
    if (answer.state !== 'ready' || answer.manifest.digest !== digest || swarms.size >= maxSwarms) return swarms.get(digest);
    const { manifest } = answer;
    if (!(await isOffered(manifest))) return undefined;
    const swarm = beginSwarm(modelId, manifest, { beganAt: now().toISOString(), lastUsed: clock() });
    const other = swarms.get(digest);
    if (other !== undefined) return other;
    swarms.set(digest, swarm);
    return swarm;
  };
  const look = async (): Promise<void> => {
    for (const [digest, swarm] of swarms) {
      dropSilent(swarm, clock());
      const isIdle = swarm.members.size === 0 && clock() - swarm.lastUsed > idleAfterMs;
      // The policy may have changed. Nodes then take the rest from the store alone.
      if (isIdle || !(await isOffered(swarm.manifest))) await end(digest, swarm);
      else await count(swarm);
    }
    if (recent.length > 0 && [...swarms.values()].every(({ ready }) => ready === undefined)) await seeding.rest();
  };
  let looking: Promise<void> | undefined;
  const timer = setInterval(() => {
    if (swarms.size === 0) return;
    looking ??= look()
      .catch(() => undefined)
      .finally(() => {
        looking = undefined;
      });
  }, lookEveryMs);
  timer.unref();
  store.onRemoved((modelId) => {
    for (const [digest, swarm] of swarms) if (swarm.modelId === modelId) void end(digest, swarm).catch(() => undefined);
    void torrents.remove(modelId).catch(() => undefined);
  });

  return {
    isOffered,
    ask: async (modelId, { digest, member, has_torrent: hasTorrent = false, seeds = false, leaves = false }, from) => {
      if (!isSha256(digest)) return alone;
      const known = swarms.get(digest);
      if (leaves) {
        if (known !== undefined && member !== undefined) dismissMember(known, member);
        return alone;
      }
      if (!isIPv4(plainAddress(from))) return alone;
      const swarm = await open(modelId, digest);
      if (swarm === undefined) return alone;
      dropSilent(swarm, clock());
      const isKnown = member !== undefined && swarm.members.has(member);
      if (!isKnown && swarm.members.size >= maxMembers) return alone;
      const key = isKnown ? member : makeSecret();
      swarm.members.set(key, { askedAt: clock(), seeds });
      swarm.lastUsed = clock();
      if (swarm.isRefused) return alone;
      if (swarm.members.size > 1) swarm.preparing ??= prepare(swarm);
      swarm.ready?.tracker.admit(key);
      return answerMember(swarm, key, { seeds, hasTorrent });
    },
    announce: (target, addresses) => {
      const query = target.slice(target.indexOf('?') + 1);
      const key = new URLSearchParams(/(?:^|&)(key=[^&]*)/.exec(query)?.[1]).get('key') ?? '';
      const ready = [...swarms.values()].find((swarm) => swarm.ready?.tracker.has(key))?.ready;
      return ready?.tracker.announce(key, { query, ...addresses }) ?? refusal('this tracker does not know you');
    },
    list: async () => ({ swarms: [...swarms.values()].map((swarm) => describeSwarm(swarm, null)).concat(recent) }),
    endAll: async () => {
      for (const [digest, swarm] of [...swarms]) await end(digest, swarm);
      await seeding.rest();
    },
    close: async () => {
      clearInterval(timer);
      closing.abort();
      await looking;
      for (const swarm of swarms.values()) await swarm.preparing;
      swarms.clear();
      await seeding[Symbol.asyncDispose]();
    },
  };
}
