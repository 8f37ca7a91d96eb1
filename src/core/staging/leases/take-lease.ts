import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { SkulkError } from '../../kernel/errors.ts';
import { makeDirectory } from '../../kernel/files/make-directory.ts';
import { writeOwnFile } from '../../kernel/files/write-own-file.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import { type Heartbeat, startHeartbeat, unattended } from '../../kernel/process/heartbeat.ts';
import { identifySelf, type ProcessOnMachine } from '../../kernel/process/process-identity.ts';
import type { StagingLayout } from '../layout.ts';
import { behindGate } from './gate.ts';
import { beatPath, type Lease, leasePath } from './lease.ts';

/** A lease that this process keeps alive. */
export interface HeldLease extends AsyncDisposable {
  readonly lease: Lease;
  /** Aborts when the lease was removed, because this process was suspended for so long that it counted as dead. */
  readonly lost: AbortSignal;
  /** Extends the lease to these companions. Throws LOCKED if the lease is lost, like `handTo`. */
  cover(companions: readonly ModelId[]): Promise<void>;
  /** Restricts the lease to one quantization of the model. */
  narrow(selector: string): Promise<void>;
  /** Transfers the lease to other processes. */
  handTo(holders: readonly ProcessOnMachine[]): Promise<void>;
  /**
   * Keeps the lease until a time, without a process, if there still is a copy. A forced removal ends only leases that are bound to time
   * already, so without this check a lease could outlive its copy.
   * @param isThere called while nothing is removed
   * @returns false if there is no copy; then the lease ends with its release
   */
  keepUntil(until: Date, isThere: () => Promise<boolean>): Promise<boolean>;
  /** Keeps the lease when this process releases it. */
  keep(): void;
  release(): Promise<void>;
}

/**
 * Takes a lease on a model. It does not prove that there is a copy: check after taking it, because from then on the copy is not removed.
 * Nothing is synced: after a power cut, all processes in a lease are dead. Other machines and containers recognize a live lease by its
 * heartbeat, which this process keeps up while it is one of the holders.
 * @param holders this process if absent
 * @param unattendedUntil how long the lease lives for them without a heartbeat
 */
export async function takeLease(
  layout: StagingLayout,
  {
    modelId,
    selector,
    companions = [],
    purpose,
    holders,
    unattendedUntil,
    now,
    signal,
  }: {
    readonly modelId: ModelId;
    /** The quantization that will be used; undefined for the whole model. */
    readonly selector?: string | undefined;
    readonly companions?: readonly ModelId[];
    readonly purpose: string;
    readonly holders?: readonly ProcessOnMachine[];
    readonly unattendedUntil?: Date;
    readonly now: Date;
    readonly signal: AbortSignal;
  },
): Promise<HeldLease> {
  let lease: Lease = {
    lease_id: randomBytes(12).toString('hex'),
    model_id: modelId,
    ...(selector !== undefined && { selector }),
    companions,
    purpose,
    taken_at: now.toISOString(),
    holders: holders ?? [await identifySelf()],
    expires_at: null,
    ...(unattendedUntil !== undefined && { unattended_until: unattendedUntil.toISOString() }),
  };
  let isKept = false;
  const beatFile = beatPath(layout, lease.lease_id);
  const losing = new AbortController();
  let heartbeat: Heartbeat | undefined;
  const write = async (changes: Partial<Lease>): Promise<void> => {
    await makeDirectory(layout.leases);
    // Written before the lease, so that nobody sees one without the other.
    if (heartbeat === undefined) await writeOwnFile(beatFile, unattended);
    lease = { ...lease, ...changes };
    await writeLease(layout, lease);
  };
  const release = (): Promise<void> => {
    heartbeat?.stop();
    return removeLease(layout, lease.lease_id);
  };
  /** If the gate was lost, this write may be too late for an eviction to see it. */
  const announce = (changes: Partial<Lease>): Promise<void> =>
    behindGate(layout, signal, async (gate) => {
      await write(changes);
      await gate.assertHeld();
    });
  const requireHeld = (): void => {
    if (existsSync(leasePath(layout, lease.lease_id))) return;
    throw new SkulkError('LOCKED', `this process was suspended for too long, so ${modelId} no longer counted as in use`, {
      hint: 'run the command again',
    });
  };
  try {
    await announce({});
  } catch (error) {
    await release().catch(() => undefined);
    throw error;
  }
  if (holders === undefined)
    heartbeat = startHeartbeat(beatFile, {
      onBeat: (isThere) => {
        if (isThere) return;
        heartbeat?.stop();
        losing.abort();
      },
    });
  return {
    get lease() {
      return lease;
    },
    lost: losing.signal,
    cover: async (more) => {
      requireHeld();
      await announce({ companions: [...new Set([...lease.companions, ...more])] });
    },
    narrow: async (chosen) => {
      requireHeld();
      await write({ selector: chosen });
    },
    handTo: async (next) => {
      requireHeld();
      await write({ holders: next });
    },
    keepUntil: (until, isThere) =>
      behindGate(layout, signal, async (gate) => {
        requireHeld();
        if (!(await isThere())) return false;
        await gate.assertHeld();
        heartbeat?.stop();
        await write({ holders: [], expires_at: until.toISOString() });
        isKept = true;
        return true;
      }),
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
  for (const { lease_id } of leases) await removeLease(layout, lease_id);
}

async function removeLease(layout: Pick<StagingLayout, 'leases'>, leaseId: string): Promise<void> {
  for (const path of [leasePath(layout, leaseId), beatPath(layout, leaseId)]) await rm(path, { force: true });
}

async function writeLease(layout: StagingLayout, lease: Lease): Promise<void> {
  const path = leasePath(layout, lease.lease_id);
  const draft = `${path}.tmp`;
  try {
    await writeOwnFile(draft, JSON.stringify(lease));
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
