import { checkDirectory } from '../../config/check-paths.ts';
import { placeOf } from '../../config/settings.ts';
import type { Deps } from '../../connect/deps.ts';
import { checkStoreDirectory, refuseForeignDirectory, requireServedStore } from '../../connect/served-stores.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { explainAnySystemError } from '../../kernel/explain-system-error.ts';
import { whyUnmounted } from '../../kernel/machine/known-mounts.ts';
import { openDiskStore } from '../../store/disk-store.ts';
import { type Check, ok, problemOf, skipped } from './check.ts';
import { checkAccess } from './check-access.ts';
import { checkAddress } from './check-address.ts';
import { checkEngines } from './check-engines.ts';
import { checkSecondStores } from './check-second-stores.ts';
import { checkSecrets } from './check-secrets.ts';
import { checkServer } from './check-server.ts';
import { checkBudget, checkStaging } from './check-staging.ts';
import { checkStorePath } from './check-store-path.ts';
import { checkSwarm } from './check-swarm.ts';
import { findRole } from './find-role.ts';

/** The checks, in order. */
export interface DoctorReport {
  /** Whether there is no problem; warnings do not count. */
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

/** Runs all checks. Changes nothing, and a failed check does not prevent the others. */
export async function runDoctor(deps: Deps): Promise<DoctorReport> {
  const { config, world } = deps;
  const { settings } = config;
  const found = await findRole(deps);
  const { check: role, url, isHost } = found;
  const checks: Check[] = [
    ok('versions', `skulk ${world.version}, Node ${process.version}, ${world.platform} ${process.arch}, ${world.hostname}`),
    ok('configuration', config.file === undefined ? 'no file; the defaults apply' : `${config.file} is valid`),
    await checkSecrets(deps),
    role,
  ];
  if (settings.enabled.value) {
    const address = await checkAddress(deps, { url, isHost });
    checks.push(address, ...(address.status === 'problem' ? [unasked] : await attempt('store', () => checkServer(deps, found))));
    if (address.status !== 'problem') checks.push(...(await attempt('access', async () => [await checkAccess(deps, { url, isHost })])));
    if (isHost) {
      const { value, origin } = settings.storePath;
      const disk = openDiskStore({ root: value, world, nodeId: config.nodeId, cardsPath: settings.cardsPath.value });
      const isUsable = async (): Promise<void> => {
        await checkStoreDirectory(deps, { name: `${placeOf(origin)}store_path`, mayBeMissing: origin.from === 'default' });
        await requireServedStore(deps, value);
        await refuseForeignDirectory(settings);
      };
      checks.push(...(await attempt('store path', () => checkStorePath(deps, disk, isUsable))));
      await disk.close();
    }
  }
  const { value, origin } = settings.nodeCachePath;
  const isUsable = async (): Promise<void> => {
    await checkDirectory(value, `${placeOf(origin)}node_cache_path`, { mayBeMissing: true });
    const unmounted = await whyUnmounted(config.skulkHome, value);
    if (unmounted !== undefined) throw unmounted;
  };
  checks.push(...(await checkStaging(deps, isUsable)));
  checks.push(checkBudget(deps));
  checks.push(...(await checkSecondStores(deps)), await checkSwarm(deps));
  if (isHost) checks.push(...(await checkEngines(deps)));
  return { ok: checks.every(({ status }) => status !== 'problem'), checks };
}

/** A check that cannot even be made, e.g. because a file cannot be read, is a problem. */
async function attempt(name: Check['id'], check: () => Promise<readonly Check[]>): Promise<readonly Check[]> {
  try {
    return await check();
  } catch (error) {
    const known = explainAnySystemError(error);
    if (!(known instanceof SkulkError) || known.code === 'INTERRUPTED') throw error;
    return [problemOf(name, known)];
  }
}

const unasked = skipped('store', 'not checked, because the store has no address');
