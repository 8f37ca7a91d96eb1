import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../../kernel/errors.ts';
import { isModelId, type ModelId } from '../../kernel/model-id.ts';
import { mayBeAlive, type ProcessOnMachine } from '../../kernel/process-identity.ts';
import type { StagingLayout } from '../layout.ts';

/** Says that a staged copy is in use: by processes, or until a time. It covers the model and its companions. */
export interface Lease {
  readonly lease_id: string;
  readonly model_id: ModelId;
  readonly companions: readonly ModelId[];
  /** What took it, e.g. `skulk run`. */
  readonly purpose: string;
  /** ISO 8601, as is `expires_at`. */
  readonly taken_at: string;
  /** The lease lives while one of them does; a lease that is bound to time has none. */
  readonly holders: readonly ProcessOnMachine[];
  readonly expires_at: string | null;
}

/** Every lease that is written down, living or not; newest last. */
export async function readLeases({ leases }: Pick<StagingLayout, 'leases'>): Promise<readonly Lease[]> {
  const names = await readdir(leases).catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  });
  const found = await Promise.all(names.filter((name) => leaseFile.test(name)).map((name) => readLease(join(leases, name))));
  return found.filter((lease) => lease !== undefined).toSorted((a, b) => a.taken_at.localeCompare(b.taken_at));
}

/** The leases that mean something now. */
export async function readLiveLeases(layout: Pick<StagingLayout, 'leases'>, now: Date): Promise<readonly Lease[]> {
  const leases = await readLeases(layout);
  const alive = await Promise.all(leases.map((lease) => isLive(lease, now)));
  return leases.filter((_, index) => alive[index]);
}

/** Whether a lease's time is not over, or one of its processes lives: the same pid with another start time is another process. */
export async function isLive({ holders, expires_at }: Lease, now: Date): Promise<boolean> {
  if (expires_at !== null) return now.getTime() < Date.parse(expires_at);
  for (const holder of holders) if (await mayBeAlive(holder)) return true;
  return false;
}

/** Whether a lease keeps a model's copy where it is. */
export const covers = ({ model_id, companions }: Lease, modelId: ModelId): boolean => model_id === modelId || companions.includes(modelId);

const leaseFile = /^[0-9a-f]{24}\.json$/;

/** Where a lease is written down. */
export const leasePath = ({ leases }: Pick<StagingLayout, 'leases'>, leaseId: string): string => join(leases, `${leaseId}.json`);

/** Undefined when it was given back meanwhile. One that does not parse was cut off by a crash that its process did not survive. */
async function readLease(path: string): Promise<Lease | undefined> {
  try {
    return parseLease(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (isSystemError(error, 'EACCES', 'EPERM', 'EIO')) throw error;
    return undefined;
  }
}

function parseLease(value: unknown): Lease | undefined {
  const { lease_id, model_id, companions, purpose, taken_at, holders, expires_at } = (value ?? {}) as Partial<Lease>;
  const isGood =
    typeof lease_id === 'string' &&
    leaseFile.test(`${lease_id}.json`) &&
    typeof model_id === 'string' &&
    isModelId(model_id) &&
    Array.isArray(companions) &&
    companions.every((id) => typeof id === 'string' && isModelId(id)) &&
    typeof purpose === 'string' &&
    typeof taken_at === 'string' &&
    Array.isArray(holders) &&
    holders.every(isProcess) &&
    (expires_at === null || (typeof expires_at === 'string' && !Number.isNaN(Date.parse(expires_at))));
  return isGood ? (value as Lease) : undefined;
}

function isProcess(value: unknown): value is ProcessOnMachine {
  const { pid, startTime, hostname } = (value ?? {}) as Partial<ProcessOnMachine>;
  return Number.isSafeInteger(pid) && typeof startTime === 'string' && typeof hostname === 'string';
}
