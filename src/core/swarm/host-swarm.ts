import type { ModelId } from '../kernel/model-id.ts';
import type { Manifest } from '../protocol/manifest.ts';
import type { SwarmAnswer, SwarmList } from '../protocol/staging.ts';
import type { Metainfo } from './metainfo.ts';
import type { Tracker } from './tracker.ts';

/** A model that nodes take from this store host, shared or not. Times without a unit are milliseconds of a monotonic clock. */
export interface Swarm {
  readonly modelId: ModelId;
  readonly manifest: Manifest;
  /** ISO 8601. */
  readonly beganAt: string;
  /** By the secret key of each. */
  readonly members: Map<string, Member>;
  /** Set as soon as members can find each other. */
  ready?: { readonly metainfo: Metainfo; readonly tracker: Tracker; readonly hostKey: string };
  preparing?: Promise<void>;
  isSeeding: boolean;
  /** It cannot be shared; nobody asks why again. */
  isRefused: boolean;
  /** Bytes that the host has sent to peers. */
  sent: number;
  lastUsed: number;
}

interface Member {
  readonly askedAt: number;
  /** It has everything, and only sends. */
  readonly seeds: boolean;
}

/** A swarm as it is listed. */
export type DescribedSwarm = SwarmList['swarms'][number];

/** A member that has not asked for so long has gone, in milliseconds. */
const memberLeftAfterMs = 30_000;

/** A swarm without members. */
export const beginSwarm = (modelId: ModelId, manifest: Manifest, since: Pick<Swarm, 'beganAt' | 'lastUsed'>): Swarm => ({
  modelId,
  manifest,
  ...since,
  members: new Map(),
  isSeeding: false,
  isRefused: false,
  sent: 0,
});

/** Removes a member, so that its peers no longer find it. */
export function dismissMember(swarm: Swarm, key: string): void {
  swarm.members.delete(key);
  swarm.ready?.tracker.dismiss(key);
}

/** Removes the members that have gone without saying so. */
export function dropSilent(swarm: Swarm, now: number): void {
  for (const [key, { askedAt }] of swarm.members) if (now - askedAt > memberLeftAfterMs) dismissMember(swarm, key);
}

/** The number of members that still need bytes. */
export const takersOf = ({ members }: Swarm): number => [...members.values()].filter(({ seeds }) => !seeds).length;

/** The answer to a node that fetches from the store alone, and is not a member. */
export const alone: SwarmAnswer = { state: 'wire', member: '', members: 0, host_sent_bytes: 0 };

/**
 * Tells a member how to fetch the model now. The last member that needs bytes stays in the swarm; one that only sends leaves if nobody
 * needs bytes. Pure.
 * @param key the secret key of the member
 */
export function answerMember(
  swarm: Swarm,
  key: string,
  { seeds, hasTorrent }: { readonly seeds: boolean; readonly hasTorrent: boolean },
): SwarmAnswer {
  const { ready, members: all } = swarm;
  const members = takersOf(swarm);
  const answer = { member: key, members, host_sent_bytes: swarm.sent };
  const isUseless = seeds ? members === 0 : all.size === 1 && !hasTorrent;
  // Before the aria2 of this host has announced itself, there is no peer with the bytes.
  const port = ready?.tracker.portOf(ready.hostKey);
  if (!swarm.isSeeding || ready === undefined || port === undefined || isUseless) return { ...answer, state: 'wire' };
  return { ...answer, state: 'swarm', host_port: port, ...(!hasTorrent && { torrent: ready.metainfo.torrent.toString('base64') }) };
}

/** @param endedAt in ISO 8601; null for a running swarm */
export const describeSwarm = (swarm: Swarm, endedAt: string | null): DescribedSwarm => ({
  model_id: swarm.modelId,
  digest: swarm.manifest.digest,
  members: takersOf(swarm),
  seeders: swarm.ready?.tracker.seeders() ?? 0,
  host_sent_bytes: swarm.sent,
  began_at: swarm.beganAt,
  ended_at: endedAt,
});
