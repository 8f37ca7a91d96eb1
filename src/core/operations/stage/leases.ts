import type { Companion } from '../../catalog/companions.ts';
import { listGroups } from '../../catalog/selection/groups.ts';
import type { Deps } from '../../connect/deps.ts';
import { resolveCanonical } from '../../connect/resolve-canonical.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { explainingDiskErrors } from '../../kernel/explain-system-error.ts';
import { formatRef, type ModelId, type ModelRef } from '../../kernel/model-id.ts';
import { identifyProcess, isLocalProcess, locate } from '../../kernel/process/process-identity.ts';
import type { BudgetReport } from '../../node/apply-budget.ts';
import { catchUp, reportUse } from '../../node/catch-up.ts';
import { leaseLayout } from '../../node/lease-layout.ts';
import { type GroupFiles, isSameGroup, namesGroup, splitGroups } from '../../staging/groups/copy-groups.ts';
import { copyPath, type StagingLayout } from '../../staging/layout.ts';
import { covers, type Lease, readLeases } from '../../staging/leases/lease.ts';
import { dropLeases, takeLease } from '../../staging/leases/take-lease.ts';
import { readLocalCopy } from '../../staging/local-copy.ts';
import { stayWithinBudget } from '../nodes/stay-within-budget.ts';
import { markUsed } from './mark-used.ts';
import { selectPart } from './select-part.ts';
import { findHere } from './wanted-part.ts';

/** A lease for another process. */
export interface Activation {
  readonly model_id: ModelId;
  /** The quantization; null for a model without any. */
  readonly selector: string | null;
  readonly path: string;
  readonly pid: number;
  readonly lease_id: string;
  readonly companions: readonly ModelId[];
  /** ISO 8601. */
  readonly taken_at: string;
}

/** The released leases, and the result of the budget after that. */
export interface Deactivation extends BudgetReport {
  readonly model_id: ModelId;
  /** As requested; null for the whole model. */
  readonly selector: string | null;
  readonly released: readonly Lease[];
}

const purpose = 'skulk activate';
const usualForMs = 24 * 3_600_000;
/** A store on the LAN takes a report in some milliseconds. */
const activateReportMs = 1_000;

/**
 * Marks a model that is staged here, or a part of it, and its companions as in use by a process.
 * @param forMs how long other machines and containers with the same directory keep the copy if no `skulk serve` runs here
 * @throws SkulkError NOT_FOUND if there is no such process, MODEL_NOT_FOUND if there is no complete copy
 */
export async function activate(
  deps: Deps,
  { ref, pid, forMs = usualForMs }: { readonly ref: ModelRef; readonly pid: number; readonly forMs?: number | undefined },
): Promise<Activation> {
  const { world } = deps;
  const { modelId } = ref;
  const process = await identifyProcess(pid);
  if (process === undefined)
    throw new SkulkError('NOT_FOUND', `no process has the pid ${pid}`, { hint: 'use the pid of a running process on this machine' });
  const layout = await leaseLayout(deps, { offline: true });
  const find = async (): Promise<{ path: string; companions: readonly Companion[]; group: GroupFiles } | undefined> => {
    if (layout.isInPlace) {
      const canonical = await resolveCanonical(deps, ref, { offline: true });
      return { ...canonical, group: selectPart(ref, canonical.manifest, canonical.pin).group };
    }
    const copy = await readLocalCopy(layout, modelId);
    const part = copy === undefined ? undefined : findHere(ref, copy);
    if (copy === undefined || part === undefined) return undefined;
    return { path: copyPath(layout, modelId), companions: copy.companions, group: part.group };
  };
  const missing = (): SkulkError =>
    new SkulkError('MODEL_NOT_FOUND', `there is no complete copy of ${formatRef(ref)} on this node`, {
      hint: `run \`skulk stage ${formatRef(ref)}\` first`,
    });
  if ((await find()) === undefined) throw missing();
  const activation = await explainingDiskErrors(`cannot take a lease in ${layout.root}`, async () => {
    const now = world.now();
    const unattendedUntil = new Date(now.getTime() + forMs);
    const holders = [locate(process)];
    const { selector } = ref;
    await using held = await takeLease(layout, { modelId, selector, purpose, holders, unattendedUntil, now, signal: world.signal });
    // From here on the copy is not removed, so check again that it exists.
    const copy = await find();
    if (copy === undefined) throw missing();
    if (copy.companions.length > 0) await held.cover(copy.companions.map((companion) => companion.modelId));
    const { group } = copy;
    if (group.selector !== null && group.selector !== selector) await held.narrow(group.selector);
    held.keep();
    // A second call for the same process returns the same lease, unless it is for another quantization.
    const { lease } = held;
    const same = await findQuantization(deps, layout, { modelId, ...(group.selector !== null && { selector: group.selector }) });
    const before = (await readLeases(layout)).filter(
      (one) => one.lease_id !== lease.lease_id && one.purpose === purpose && isOn(one, modelId, pid) && same(one) && areOurs(one),
    );
    await dropLeases(layout, before);
    if (!layout.isInPlace) await markUsed(deps, modelId, (one) => isSameGroup(one, group));
    const { lease_id, companions, taken_at } = lease;
    return { model_id: modelId, selector: group.selector, path: copy.path, pid, lease_id, companions, taken_at };
  });
  // The lease counts already; the store may be silent, and a supervisor waits for this command.
  await reportUse(deps, { limitMs: activateReportMs });
  return activation;
}

/**
 * Releases the leases on a model, or on one quantization of it, that `activate` or `stage --keep` took, or only those of one process.
 * Then applies the budget. Succeeds without any lease, because a lease ends with its process anyway.
 */
export async function deactivate(
  deps: Deps,
  { ref, pid }: { readonly ref: ModelRef; readonly pid?: number | undefined },
): Promise<Deactivation> {
  const { modelId, selector = null } = ref;
  const layout = await leaseLayout(deps, { offline: true });
  const isOfPart = selector === null ? () => true : await findQuantization(deps, layout, ref);
  const released: Lease[] = [];
  for (const lease of await readLeases(layout)) {
    const isSelected =
      pid === undefined
        ? lease.model_id === modelId && (lease.purpose === purpose || lease.expires_at !== null)
        : isOn(lease, modelId, pid);
    if (isSelected && isOfPart(lease) && areOurs(lease)) released.push(lease);
  }
  await dropLeases(layout, released);
  const used = new Set(released.flatMap((lease) => [lease.model_id, ...lease.companions]));
  if (!layout.isInPlace) for (const id of used) await markUsed(deps, id, (group) => released.some((lease) => covers(lease, id, group)));
  const budget = await stayWithinBudget(deps, { dryRun: false, reportsCopies: released.length === 0 });
  // Orders that were postponed while the copy was in use, and the report of the copies.
  if (released.length > 0) await catchUp(deps, { full: true });
  return { model_id: modelId, selector, released, ...budget };
}

/**
 * Whether a lease is on the same quantization as a reference: each may name a label, or the path of a file. If the copy is gone, only the
 * names are compared.
 */
async function findQuantization(
  deps: Deps,
  layout: StagingLayout & { readonly isInPlace: boolean },
  { modelId, selector }: ModelRef,
): Promise<(lease: Lease) => boolean> {
  if (selector === undefined) return (lease) => lease.selector === undefined;
  const groups = await listQuantizations(deps, layout, modelId);
  const group = groups.find((one) => namesGroup(selector, one));
  return (lease) =>
    lease.selector !== undefined &&
    (lease.selector.toLowerCase() === selector.toLowerCase() || (group !== undefined && namesGroup(lease.selector, group)));
}

async function listQuantizations(
  deps: Deps,
  layout: StagingLayout & { readonly isInPlace: boolean },
  modelId: ModelId,
): Promise<readonly GroupFiles[]> {
  if (!layout.isInPlace) {
    const copy = await readLocalCopy(layout, modelId);
    return copy === undefined ? [] : splitGroups(copy.manifest, copy.groups).filter((one) => one.selector !== null);
  }
  const found = await resolveCanonical(deps, { modelId }, { offline: true }).catch((error: unknown) => {
    if (error instanceof SkulkError) return undefined;
    throw error;
  });
  const groups = listGroups(found?.manifest.files ?? []);
  return groups.map(({ selector, files }) => ({ selector, files: files.map(({ path }) => path) }));
}

const isOn = ({ model_id, holders }: Lease, modelId: ModelId, pid: number): boolean =>
  model_id === modelId && holders.some((holder) => holder.pid === pid);

/** A process on another machine or in another container with the same disk may have the same pid. */
const areOurs = ({ holders }: Lease): boolean => holders.every((holder) => isLocalProcess(holder));
