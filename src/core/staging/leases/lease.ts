import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../../kernel/errors.ts';
import { namesIn } from '../../kernel/files/if-present.ts';
import { isModelId, type ModelId } from '../../kernel/model-id.ts';
import { type Pulse, readPulse } from '../../kernel/process/heartbeat.ts';
import { type Observer, silenceMs, thisObserver } from '../../kernel/process/observe.ts';
import { lifeOf, type ProcessOnMachine } from '../../kernel/process/process-identity.ts';
import { type GroupFiles, namesGroup } from '../groups/copy-groups.ts';
import type { StagingLayout } from '../layout.ts';

/**
 * A lease marks a staged copy as in use: by processes, or until a time. It covers the model, or one quantization of it, and its
 * companions.
 */
export interface Lease {
  readonly lease_id: string;
  readonly model_id: ModelId;
  /** The quantization in use, as the user named it; absent for the whole model. */
  readonly selector?: string;
  readonly companions: readonly ModelId[];
  /** The activity that took it, e.g. `skulk run`. */
  readonly purpose: string;
  /** ISO 8601, like `expires_at`. */
  readonly taken_at: string;
  /** The lease is live while one of them is alive. A lease that is bound to time has none. */
  readonly holders: readonly ProcessOnMachine[];
  readonly expires_at: string | null;
  /**
   * ISO 8601. Without a heartbeat, the lease is live for other machines and containers until then. Only set for a lease on behalf of
   * another program, which does not renew it.
   */
  readonly unattended_until?: string;
}

/** All saved leases, live or not; newest last. */
export async function readLeases({ leases }: Pick<StagingLayout, 'leases'>): Promise<readonly Lease[]> {
  const names = await namesIn(leases);
  const found = await Promise.all(names.filter((name) => leaseFile.test(name)).map((name) => readLease(join(leases, name))));
  return found.filter((lease) => lease !== undefined).toSorted((a, b) => a.taken_at.localeCompare(b.taken_at));
}

/** The leases that are live now. */
export async function readLiveLeases(layout: Pick<StagingLayout, 'leases'>, now: Date): Promise<readonly Lease[]> {
  return (await sortLeases(layout, now)).live;
}

/**
 * Separates live leases from expired ones. A lease is live until its time is over, or while one of its processes is alive. The same pid
 * with another start time is another process. For processes elsewhere, the lease's heartbeat decides.
 */
export async function sortLeases(
  layout: Pick<StagingLayout, 'leases'>,
  now: Date,
  observer: Observer = thisObserver,
): Promise<{ readonly live: readonly Lease[]; readonly dead: readonly Lease[] }> {
  const leases = await readLeases(layout);
  const lives = new Map(await Promise.all(leases.map(async (lease) => [lease.lease_id, await lifeOfLease(lease, now)] as const)));
  const unknown = leases.filter(({ lease_id }) => lives.get(lease_id) === 'unknown');
  const pulses = new Map<string, Pulse>(
    await Promise.all(unknown.map(async ({ lease_id }) => [lease_id, await readPulse(beatPath(layout, lease_id))] as const)),
  );
  const silences = await observer.silences(layout.leases, new Map([...pulses].map(([id, { content }]) => [id, content])));
  const isLive = ({ lease_id, unattended_until: until }: Lease): boolean => {
    const life = lives.get(lease_id);
    if (life !== 'unknown') return life === 'alive';
    if (until !== undefined && pulses.get(lease_id)?.isAttended === false) return now.getTime() < Date.parse(until);
    return (silences.get(lease_id)?.ms ?? 0) < silenceMs;
  };
  return { live: leases.filter(isLive), dead: leases.filter((lease) => !isLive(lease)) };
}

async function lifeOfLease({ holders, expires_at }: Lease, now: Date): Promise<'alive' | 'dead' | 'unknown'> {
  if (expires_at !== null) return now.getTime() < Date.parse(expires_at) ? 'alive' : 'dead';
  const lives = await Promise.all(holders.map(lifeOf));
  return lives.find((life) => life === 'alive') ?? lives.find((life) => life === 'unknown') ?? 'dead';
}

/** Whether a lease protects a model's copy, or one quantization of it. */
export const covers = ({ model_id, selector, companions }: Lease, modelId: ModelId, group?: GroupFiles): boolean =>
  companions.includes(modelId) || (model_id === modelId && (group === undefined || namesGroup(selector, group)));

const leaseFile = /^[0-9a-f]{24}\.json$/;

/** The file of a lease. */
export const leasePath = ({ leases }: Pick<StagingLayout, 'leases'>, leaseId: string): string => join(leases, `${leaseId}.json`);

/** The heartbeat file of a lease. */
export const beatPath = ({ leases }: Pick<StagingLayout, 'leases'>, leaseId: string): string => join(leases, `${leaseId}.beat`);

/** Undefined if it was released in the meantime. An invalid file was cut off by a crash that its process did not survive. */
async function readLease(path: string): Promise<Lease | undefined> {
  try {
    return parseLease(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (isSystemError(error, 'EACCES', 'EPERM', 'EIO')) throw error;
    return undefined;
  }
}

function parseLease(value: unknown): Lease | undefined {
  const { lease_id, model_id, selector, companions, purpose, taken_at, holders, expires_at, unattended_until } = (value ??
    {}) as Partial<Lease>;
  const isGood =
    typeof lease_id === 'string' &&
    leaseFile.test(`${lease_id}.json`) &&
    typeof model_id === 'string' &&
    isModelId(model_id) &&
    (selector === undefined || (typeof selector === 'string' && selector !== '')) &&
    Array.isArray(companions) &&
    companions.every((id) => typeof id === 'string' && isModelId(id)) &&
    typeof purpose === 'string' &&
    typeof taken_at === 'string' &&
    Array.isArray(holders) &&
    holders.every(isProcess) &&
    (expires_at === null || isTime(expires_at)) &&
    (unattended_until === undefined || isTime(unattended_until));
  return isGood ? (value as Lease) : undefined;
}

const isTime = (value: unknown): boolean => typeof value === 'string' && !Number.isNaN(Date.parse(value));

function isProcess(value: unknown): value is ProcessOnMachine {
  const { pid, startTime, hostname, namespace } = (value ?? {}) as Partial<ProcessOnMachine>;
  return (
    Number.isSafeInteger(pid) &&
    typeof startTime === 'string' &&
    typeof hostname === 'string' &&
    (namespace === undefined || typeof namespace === 'string')
  );
}
