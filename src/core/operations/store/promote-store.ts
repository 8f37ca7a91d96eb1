import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findServer } from '../../access/serve-record.ts';
import type { Deps } from '../../connect/deps.ts';
import { parseReplacedUrl } from '../../connect/promoted-store.ts';
import { remoteUrl } from '../../connect/remote-url.ts';
import { type OtherStore, readOtherStore } from '../../connect/second-store.ts';
import { requireServedStore } from '../../connect/served-stores.ts';
import { urlFromHere } from '../../connect/url-from-here.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { explainingDiskErrors } from '../../kernel/explain-system-error.ts';
import { acquireLock, readLock } from '../../kernel/process/lock.ts';
import { readStoreIdentity, type StoreIdentity, writeStoreIdentity } from '../../store/disk/store-identity.ts';
import { openDiskStore } from '../../store/disk-store.ts';
import { storeLayout } from '../../store/layout.ts';
import { ownRoot } from './administer-store.ts';
import { type Change, logOnDisk } from './log-change.ts';

/** What `skulk store promote` found, and what it changed or would change. */
export interface PromotionReport {
  readonly store_path: string;
  /** The URL of the store that this one replaces; null if it replaces none (any more). */
  readonly instead_of: string | null;
  /** Whether store.json was changed, or would be. */
  readonly changed: boolean;
  readonly dry_run: boolean;
  /** Increases with each promotion. */
  readonly epoch: number;
  /** The number of models in this store. */
  readonly models: number;
  /** Models of this store whose files are gone. */
  readonly lost: readonly string[];
  /** Whether the other store still answers. If not, it is off, or this machine cannot reach it. */
  readonly answers: boolean;
  /** The models that only the other store has; null if it did not list them. */
  readonly missing: readonly string[] | null;
  /** The models that both have with different sizes; null if it did not list them. */
  readonly different: readonly string[] | null;
  /** Whether a running server of this store must be restarted. */
  readonly restart: boolean;
  /** The address for other machines, as far as a running server knows it. */
  readonly url: string | null;
}

/** Options of a promotion. */
export interface PromotionRequest {
  /** The URL of the store to replace, as typed; by default the upstream of this store. */
  readonly insteadOf?: string | undefined;
  readonly dryRun: boolean;
  /** Also if the other store answers. */
  readonly force: boolean;
  /** Revert a promotion. */
  readonly undo: boolean;
}

/**
 * Makes this machine's store the canonical one instead of another store, or takes that back. Changes one file, `store.json`, by one
 * rename.
 * @throws SkulkError STORE_NOT_CONFIGURED on a machine without a store; USAGE if the other store is unknown or this one itself; CONFLICT
 * if the other store answers, or the store already replaces another one; NO_SPACE
 */
export async function promoteStore(deps: Deps, request: PromotionRequest): Promise<PromotionReport> {
  const root = await requireOwnStore(deps);
  const before = await requireIdentity(deps, root);
  const server = await askServer(deps, root);
  const own = await listOwn(deps, root);
  const said = { store_path: root, dry_run: request.dryRun, models: own.sizes.size, lost: own.lost, url: server?.url ?? null };
  const write = async (next: StoreIdentity, change: Change): Promise<void> => {
    if (!request.dryRun) await logOnDisk(deps, root, change, () => replaceIdentity(deps, root, { before, next }));
  };
  if (request.undo) {
    const { promoted, ...rest } = before;
    if (promoted !== undefined) await write(rest, { action: 'undo-promotion' });
    const isChanged = promoted !== undefined;
    const nothing = { answers: false, missing: null, different: null };
    return { ...said, ...nothing, instead_of: null, changed: isChanged, epoch: before.epoch, restart: isChanged && server !== undefined };
  }
  const url = otherUrl(deps, request, before, server?.upstream);
  if (before.promoted !== undefined && before.promoted.instead_of !== url)
    throw new SkulkError('CONFLICT', `the store in ${root} was already promoted instead of ${before.promoted.instead_of}`, {
      hint: 'undo that first: skulk store promote --undo',
    });
  const other = await readOtherStore(deps, url);
  refuseItself(deps, url, other, server?.instance);
  const isChanged = before.promoted === undefined;
  if (other !== undefined && isChanged && !request.dryRun && !request.force)
    throw new SkulkError('CONFLICT', `the store ${url} still answers, so nothing was changed: there would be two canonical stores`, {
      hint: 'stop it on its machine first, or use --force; --dry-run compares the models of both',
    });
  const epoch = isChanged ? before.epoch + 1 : before.epoch;
  if (isChanged) {
    const promoted = { instead_of: url, at: deps.world.now().toISOString() };
    await write({ ...before, epoch, promoted }, { action: 'promote', target: url });
  }
  return {
    ...said,
    instead_of: url,
    changed: isChanged,
    epoch,
    answers: other !== undefined,
    ...compare(own.sizes, other?.models),
    restart: isChanged && server !== undefined,
  };
}

/** The directory of this machine's store. @throws SkulkError STORE_NOT_CONFIGURED; STORE_UNREACHABLE if its disk is not mounted */
async function requireOwnStore(deps: Deps): Promise<string> {
  const configured = await ownRoot(deps);
  // A server may have been started with another directory, and that is the store that other machines use.
  const served = configured === undefined ? undefined : (await findServer(deps.config.skulkHome))?.storePath;
  const root = served ?? configured;
  if (root === undefined) {
    const url = remoteUrl(deps.config);
    const why = url === undefined ? 'this machine has no store' : `this machine is a node of ${url}, so it has no store to promote`;
    throw new SkulkError('STORE_NOT_CONFIGURED', why, {
      hint: 'run it on the machine of the second store, without --store and SKULK_STORE; `skulk serve --upstream URL` makes such a store',
    });
  }
  await requireServedStore(deps, root);
  return root;
}

async function requireIdentity({ world }: Deps, root: string): Promise<StoreIdentity> {
  const identity = await explainingDiskErrors(`cannot read the identity of ${root}`, () => readStoreIdentity(storeLayout(root)));
  world.signal.throwIfAborted();
  if (identity !== undefined && identity !== 'damaged') return identity;
  throw new SkulkError('CONFLICT', `${storeLayout(root).identity} is ${identity === undefined ? 'missing' : 'damaged'}`, {
    hint: 'start `skulk serve` once, which writes it, then run the command again',
  });
}

interface OwnServer {
  readonly instance: string;
  readonly upstream: string | undefined;
  readonly url: string | null;
}

/** The running server of this store; undefined if there is none. */
async function askServer(deps: Deps, root: string): Promise<OwnServer | undefined> {
  const holder = await readLock(storeLayout(root).lock);
  if (holder?.url === undefined) return undefined;
  const near = urlFromHere(holder);
  const health = near === undefined ? undefined : (await readOtherStore(deps, near))?.health;
  return { instance: holder.token, upstream: health?.upstream ?? undefined, url: holder.outside_url ?? null };
}

/** The models of this store with their sizes, and those whose files are gone. */
async function listOwn({ world, config }: Deps, root: string) {
  const disk = openDiskStore({ root, world, nodeId: config.nodeId, cardsPath: config.settings.cardsPath.value });
  try {
    const models = await disk.listModels();
    return { sizes: new Map<string, number>(models.map((one) => [one.model_id, one.total_bytes])), lost: await disk.listLost() };
  } finally {
    await disk.close();
  }
}

/** @throws SkulkError USAGE, CONFIG */
function otherUrl({ config }: Deps, { insteadOf }: PromotionRequest, { promoted }: StoreIdentity, ofServer: string | undefined): string {
  const given = insteadOf === undefined ? undefined : parseReplacedUrl(insteadOf);
  const url = given ?? promoted?.instead_of ?? ofServer ?? config.settings.upstream.value;
  if (url !== undefined) return url.replace(/\/+$/, '');
  throw new SkulkError('USAGE', 'this store has no upstream, so the store that it replaces is unknown', {
    hint: 'name it: skulk store promote --instead-of http://OLD-HOST:58080',
  });
}

function refuseItself({ config }: Deps, url: string, other: OtherStore | undefined, instance: string | undefined): void {
  const { health } = other ?? {};
  if (health === undefined) return;
  const isSame =
    (health.instance !== null && health.instance === instance) || (health.node_id !== null && health.node_id === config.nodeId);
  if (isSame) throw new SkulkError('USAGE', `${url} is this store itself`, { hint: 'name the store that it replaces' });
}

/** Compares the models of both stores. Pure. */
function compare(
  own: ReadonlyMap<string, number>,
  theirs: OtherStore['models'] | undefined,
): Pick<PromotionReport, 'missing' | 'different'> {
  if (theirs === undefined) return { missing: null, different: null };
  return {
    missing: theirs.filter(({ model_id }) => !own.has(model_id)).map(({ model_id }) => model_id),
    different: theirs
      .filter(({ model_id, total_bytes }) => own.has(model_id) && own.get(model_id) !== total_bytes)
      .map(({ model_id }) => model_id),
  };
}

/** One rename: a killed process leaves the old identity or the new one. Two commands at once make one change. */
async function replaceIdentity(
  { world }: Deps,
  root: string,
  { before, next }: { readonly before: StoreIdentity; readonly next: StoreIdentity },
): Promise<void> {
  const layout = storeLayout(root);
  await explainingDiskErrors(`cannot change ${layout.identity}`, async () => {
    await using lock = await acquireLock(layout.policyLock, {
      purpose: 'skulk store promote',
      timeoutMs: 10_000,
      signal: world.signal,
    });
    const now = await readStoreIdentity(layout);
    if (JSON.stringify(now) !== JSON.stringify(before))
      throw new SkulkError('CONFLICT', `${layout.identity} was changed during the command, so nothing was done`, {
        hint: 'run the command again',
      });
    await lock.assertHeld();
    await removeDrafts(layout.identity);
    await writeStoreIdentity(layout, next);
  });
}

/** A command that was killed may have left the file that it wrote. */
async function removeDrafts(identity: string): Promise<void> {
  const directory = dirname(identity);
  for (const name of await readdir(directory))
    if (/^\.store\.json\.[0-9a-f]{12}\.tmp$/.test(name)) await rm(join(directory, name), { force: true });
}
