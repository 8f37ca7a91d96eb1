import { randomBytes } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { makeDirectory } from '../../kernel/make-directory.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import { identifySelf, type ProcessOnMachine } from '../../kernel/process-identity.ts';
import type { StagingLayout } from '../layout.ts';
import { behindGate } from './gate.ts';
import { type Lease, leasePath } from './lease.ts';

/** A lease that somebody in this process answers for. */
export interface HeldLease extends AsyncDisposable {
  readonly lease: Lease;
  /** Covers these companions too, from now on. */
  cover(companions: readonly ModelId[]): Promise<void>;
  /** Names other processes; with none, `until` says how long it lives. */
  handTo(holders: readonly ProcessOnMachine[], until?: Date): Promise<void>;
  /** Leaves it in place when this process lets go of it. */
  keep(): void;
  release(): Promise<void>;
}

/**
 * Takes a lease on a model. It does not say that there is a copy: look after taking it, as from then on nobody removes one.
 * Nothing is synced: after a power cut no process lives that a lease could name.
 * @param holders this process when absent
 */
export async function takeLease(
  layout: StagingLayout,
  {
    modelId,
    companions = [],
    purpose,
    holders,
    now,
    signal,
  }: {
    readonly modelId: ModelId;
    readonly companions?: readonly ModelId[];
    readonly purpose: string;
    readonly holders?: readonly ProcessOnMachine[];
    readonly now: Date;
    readonly signal: AbortSignal;
  },
): Promise<HeldLease> {
  let lease: Lease = {
    lease_id: randomBytes(12).toString('hex'),
    model_id: modelId,
    companions,
    purpose,
    taken_at: now.toISOString(),
    holders: holders ?? [await identifySelf()],
    expires_at: null,
  };
  let isKept = false;
  const write = (changes: Partial<Lease>): Promise<void> => {
    lease = { ...lease, ...changes };
    return writeLease(layout, lease);
  };
  const release = (): Promise<void> => rm(leasePath(layout, lease.lease_id), { force: true });
  await behindGate(layout, signal, () => write({}));
  return {
    get lease() {
      return lease;
    },
    cover: (more) => behindGate(layout, signal, () => write({ companions: [...new Set([...lease.companions, ...more])] })),
    handTo: (next, until) => write({ holders: next, expires_at: until?.toISOString() ?? null }),
    keep: () => {
      isKept = true;
    },
    release,
    [Symbol.asyncDispose]: async () => {
      if (!isKept) await release();
    },
  };
}

/** Removes leases that were read from the disk. */
export async function dropLeases(layout: Pick<StagingLayout, 'leases'>, leases: readonly Lease[]): Promise<void> {
  for (const { lease_id } of leases) await rm(leasePath(layout, lease_id), { force: true });
}

async function writeLease(layout: StagingLayout, lease: Lease): Promise<void> {
  await makeDirectory(layout.leases);
  const path = leasePath(layout, lease.lease_id);
  const draft = `${path}.tmp`;
  try {
    await writeFile(draft, JSON.stringify(lease));
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
