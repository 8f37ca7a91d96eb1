import { probeConnection } from '../../client/http/probe-connection.ts';
import type { Deps } from '../../connect/deps.ts';
import { openStore } from '../../connect/open-store.ts';
import { askUsualPorts } from '../../connect/usual-ports.ts';
import { describeNetworkError, isUnresolved } from '../../kernel/explain-network-error.ts';
import { plural } from '../../kernel/units.ts';
import type { StoreHealth } from '../../protocol/health.ts';
import { type Check, ok, problem, problemOf, skipped, warning } from './check.ts';
import { nameLimitMs } from './check-address.ts';
import type { Role } from './find-role.ts';

/** The same limit for both, so that this check and the one of the address do not disagree about the name. */
const connectMs = nameLimitMs;
const maxClockErrorMs = 5 * 60_000;

/** Checks that a store answers, its version, and its clock. */
export async function checkServer(deps: Deps, { url, isHost, isWithoutStore = false }: Omit<Role, 'check'>): Promise<readonly Check[]> {
  const { world } = deps;
  if (url === undefined) return [isHost ? await checkFreePort(deps, { isWithoutStore }) : noStore];
  await using opened = await openStore(deps);
  const outcome = await (opened.probe?.(connectMs) ?? probeConnection(url, connectMs));
  if (outcome !== 'connected') {
    if (isUnresolved(outcome)) {
      const hasToken = deps.config.settings.token.value !== undefined;
      const todo = `${hasToken ? 'a token is only sent to an address from DNS: ' : ''}set store_http_host to the address of the store host`;
      return [problem('store', `${url} cannot be reached: ${describeNetworkError(outcome)}`, todo, 'STORE_UNREACHABLE')];
    }
    const why =
      outcome === 'timeout'
        ? `did not accept a connection within ${connectMs / 1000} s`
        : `cannot be reached: ${describeNetworkError(outcome)}`;
    const [other] = await askUsualPorts(deps, new URL(url).hostname.replace(/^\[|\]$/g, ''));
    if (other !== undefined) {
      const who = other.version === null ? 'the Python program' : `skulk ${other.version}`;
      const todo = `set store_port: ${new URL(other.url).port || '80'}, or SKULK_STORE=${other.url}`;
      return [problem('store', `${url} ${why}, but ${who} answers at ${other.url}`, todo, 'STORE_UNREACHABLE')];
    }
    return [
      problem(
        'store',
        `${url} ${why}`,
        'check that `skulk serve` is running there and that no firewall blocks its port',
        'STORE_UNREACHABLE',
      ),
    ];
  }
  try {
    const models = await opened.store.listModels();
    const health = await opened.store.health();
    if (health.version === '') return [ok('store', describePython(url, models.length)), checkClock(health, world.now())];
    const who = `the store at ${url} answers: skulk ${health.version}, ${plural(health.models, 'model')}`;
    const isOther = health.version !== '' && health.version !== world.version;
    const store = isOther
      ? warning('store', `${who}; this is skulk ${world.version}`, 'install the same version on both machines')
      : ok('store', who);
    return [store, checkClock(health, world.now()), ...(await checkReplaced(deps, health, { isHost }))];
  } catch (error) {
    return [problemOf('store', error)];
  }
}

/** On a promoted store: the replaced one must not be changed any more. */
async function checkReplaced(deps: Deps, { replaces }: StoreHealth, { isHost }: { readonly isHost: boolean }): Promise<readonly Check[]> {
  if (replaces === null || !isHost) return [];
  const { readOtherStore } = await import('../../connect/second-store.ts');
  const other = await readOtherStore(deps, replaces);
  if (other === undefined || other.health.upstream !== null)
    return [ok('promotion', `this store was promoted instead of ${replaces}, which does not answer as a store of its own`)];
  return [
    warning(
      'promotion',
      `this store was promoted instead of ${replaces}, but that one answers again: there are two canonical stores`,
      'stop it, or start it with --upstream and the URL of this store; `skulk store promote --undo` reverts the promotion',
    ),
  ];
}

const describePython = (url: string, models: number): string =>
  `the Python program answers at ${url}, with ${plural(models, 'model')}; staged files are hashed on arrival, and compared with Hugging Face if it is reachable`;

const noStore = skipped('store', 'there is no store to ask');

async function checkFreePort({ config, world }: Deps, { isWithoutStore }: Required<Pick<Role, 'isWithoutStore'>>): Promise<Check> {
  const port = config.settings.storePort.value;
  const url = `http://127.0.0.1:${port}`;
  if ((await probeConnection(url, 250)) !== 'connected') {
    const todo = 'run `skulk serve`';
    return isWithoutStore
      ? noStore
      : warning('store', 'no server is running; commands on this machine use the disk, but other machines cannot reach the store', todo);
  }
  const { createStoreClient } = await import('../../client/store-client.ts');
  const stray = createStoreClient({ url, signal: world.signal, userAgent: `skulk/${world.version}`, connectTimeoutMs: connectMs });
  const health = await stray.health().catch(() => undefined);
  stray.close();
  const root = config.settings.storePath.value;
  if (health === undefined || health.version === '')
    return problem(
      'store',
      `no server is running for this store, and another program uses port ${port}`,
      'stop that program, or set store_port',
      'PORT_IN_USE',
    );
  return warning(
    'store',
    `the server at port ${port} serves ${health.store_path}, but commands on this machine use ${root}`,
    `set store_path: ${health.store_path} in skulk.yaml, or stop that server and run \`skulk serve\` without --store-path`,
  );
}

function checkClock({ time }: StoreHealth, now: Date): Check {
  const theirs = time === null ? Number.NaN : Date.parse(time);
  if (Number.isNaN(theirs)) return skipped('clock', 'the store does not report its time');
  const apart = Math.abs(theirs - now.getTime());
  if (apart <= maxClockErrorMs) return ok('clock', 'this machine and the store host agree on the time');
  return warning(
    'clock',
    `the clocks of this machine and of the store host are ${Math.round(apart / 60_000)} minutes apart`,
    'synchronize both with a time server (NTP)',
  );
}
