import type { ModelId } from '../kernel/model-id.ts';
import type { Manifest } from '../protocol/manifest.ts';
import type { SwarmList } from '../protocol/staging.ts';
import type { Metainfo } from './metainfo.ts';
import type { Tracker } from './tracker.ts';

/** A model that nodes take from this store host, alone or together. Times without a unit are milliseconds of a monotonic clock. */
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
