import { checkDirectory } from '../../config/check-paths.ts';
import { placeOf } from '../../config/settings.ts';
import { openDiskStore } from '../../store/disk-store.ts';
import type { Deps } from '../deps.ts';
import { type Check, ok, problem } from './check.ts';
import { checkBudget, checkStaging } from './check-staging.ts';
import { checkAddress, checkServer, checkStorePath } from './check-store.ts';

/** What was looked at, in order. */
export interface DoctorReport {
  /** Whether there is no problem; warnings are none. */
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

/** Looks at everything that a person would look at by hand. Changes nothing, and no check keeps the others from being made. */
export async function runDoctor(deps: Deps): Promise<DoctorReport> {
  const { config, world } = deps;
  const { settings } = config;
  const checks: Check[] = [
    ok('versions', `skulk ${world.version}, Node ${process.version}, ${world.platform} ${process.arch}, ${world.hostname}`),
    ok('configuration', config.file === undefined ? 'no file; the defaults hold' : `${config.file} is valid`),
    describeRole(deps),
  ];
  if (settings.enabled.value) {
    checks.push(await checkAddress(deps), ...(await checkServer(deps)));
    if (config.isStoreHost) {
      const { value, origin } = settings.storePath;
      const disk = openDiskStore({ root: value, world, nodeId: config.nodeId, cardsPath: settings.cardsPath.value });
      const isUsable = (): Promise<void> =>
        checkDirectory(value, `${placeOf(origin)}store_path`, { mayBeMissing: origin.from === 'default' });
      checks.push(...(await checkStorePath(deps, disk, isUsable)));
      await disk.close();
    }
  }
  const { value, origin } = settings.nodeCachePath;
  checks.push(...(await checkStaging(deps, () => checkDirectory(value, `${placeOf(origin)}node_cache_path`, { mayBeMissing: true }))));
  checks.push(checkBudget(deps));
  return { ok: checks.every(({ status }) => status !== 'problem'), checks };
}

function describeRole({ config }: Deps): Check {
  const { enabled, storeHost, storeUrl } = config.settings;
  if (!enabled.value)
    return problem('role', 'the store is switched off (model_store.enabled is false)', 'set it to true', 'STORE_NOT_CONFIGURED');
  const { origin } = storeUrl;
  if (storeUrl.value !== undefined)
    return ok(
      'role',
      `a node of ${storeUrl.value}, as ${origin.from === 'environment' || origin.from === 'flag' ? origin.name : 'the configuration'} says`,
    );
  if (storeHost.value === undefined) return ok('role', 'the store host, as no other is named');
  const self = `${config.hostname}${config.nodeId === undefined ? '' : `, node id ${config.nodeId}`}`;
  return config.isStoreHost
    ? ok('role', `the store host: store_host ${storeHost.value} is this machine (${self})`)
    : ok('role', `a node of ${storeHost.value}; this machine is ${self}`);
}
