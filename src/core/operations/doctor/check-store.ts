import { stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { probeConnection } from '../../client/http/probe-connection.ts';
import { advertisedAddress } from '../../connect/advertise.ts';
import type { Deps } from '../../connect/deps.ts';
import { findStoreByName } from '../../connect/discover.ts';
import { mayUseMdns } from '../../connect/may-use-mdns.ts';
import { openStore } from '../../connect/open-store.ts';
import { remoteUrl } from '../../connect/remote-url.ts';
import { loopback, rankAddresses } from '../../connect/routable-address.ts';
import { askUsualPorts } from '../../connect/usual-ports.ts';
import { describeNetworkError, isUnresolved } from '../../kernel/explain-network-error.ts';
import { isLinkLocal } from '../../kernel/machine/link-local.ts';
import { askNameService, waitedFor } from '../../kernel/machine/resolve-name.ts';
import { readLock } from '../../kernel/process/lock.ts';
import { formatBytes, plural } from '../../kernel/units.ts';
import type { StoreHealth } from '../../protocol/health.ts';
import type { LocalStore } from '../../store/contract.ts';
import { readStoreIdentity } from '../../store/disk/store-identity.ts';
import { storeLayout } from '../../store/layout.ts';
import { diskRoom } from '../../transfer/disk-room.ts';
import { type Check, ok, problem, problemOf, skipped, warning } from './check.ts';
import type { Role } from './find-role.ts';

/** Both for the name, so that two checks do not disagree about it. */
const lookupMs = 3_000;
const connectMs = lookupMs;
const maxClockErrorMs = 5 * 60_000;

/** Checks that this machine can reach the address of the store's name. On the store host: the address at which others reach it. */
export async function checkAddress(deps: Deps, { url, isHost }: Pick<Role, 'url' | 'isHost'>): Promise<Check> {
  if (isHost && remoteUrl(deps.config) === undefined) return checkOwnAddress(deps);
  if (url === undefined) return skipped('address', 'there is no store to reach');
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
  const addresses = isIP(host) !== 0 ? [host] : await resolve(host);
  if (typeof addresses === 'string') {
    const announced = await findStoreByName(deps, host);
    if (announced !== undefined)
      return warning(
        'address',
        `${host} ${addresses}, but mDNS found the store of that name at ${announced}`,
        `check the name servers of this machine, or set store_http_host to ${announced}`,
      );
    return problem(
      'address',
      `${host} ${addresses}${mayUseMdns(deps) ? ', and mDNS finds no store of that name; it is probably off' : ''}`,
      'start the store host, or set store_http_host to its address; check the name servers of this machine',
      'STORE_UNREACHABLE',
    );
  }
  const found = isIP(host) !== 0 ? `the store is at ${host}` : `${host} is ${addresses.join(', ')}`;
  if (addresses.every(isLinkLocal))
    return warning(
      'address',
      `${found}, a link-local address, which can change and is slow on some networks; the address that the store advertises is tried first`,
      'set store_http_host to the LAN address of the store host',
    );
  if (isIP(host) === 0 && host !== 'localhost' && addresses.every((address) => /^(127\.|::1$)/.test(address)))
    return warning('address', `${found}, this machine`, 'correct /etc/hosts, or set store_http_host to the address of the store host');
  return ok('address', found);
}

/** Shows the address that the running server announces, or would announce, and why not another one. */
async function checkOwnAddress(deps: Deps): Promise<Check> {
  const { config } = deps;
  const holder = await readLock(storeLayout(config.settings.storePath.value).lock).catch(() => undefined);
  const running = holder?.url !== undefined;
  const advertised = running ? await addressFromServer(deps) : undefined;
  const { host, isRoutable, because } = advertisedAddress(deps, { listen: undefined });
  const others = rankAddresses(networkInterfaces(), undefined)
    .filter(({ address, reason }) => address !== host && reason !== loopback)
    .map(({ address, interface: name, reason }) => `${address} on ${name}: ${reason}`);
  const rest = others.length === 0 ? '' : ` (not chosen: ${others.join('; ')})`;
  if (advertised !== undefined) return ok('address', `the server announces ${advertised.url}: ${advertised.because}${rest}`);
  if (isRoutable) return ok('address', `other machines reach this one at ${host}: ${because}${rest}`);
  return warning('address', `${because}${rest}`, 'connect it to the network, or use `skulk serve --advertise IP`');
}

async function addressFromServer(deps: Deps): Promise<NonNullable<StoreHealth['advertised']> | undefined> {
  try {
    await using opened = await openStore(deps);
    return (await opened.store.health()).advertised ?? undefined;
  } catch {
    return undefined;
  }
}

async function resolve(host: string): Promise<readonly string[] | string> {
  const question = askNameService(host);
  const timeout = waitedFor(question, lookupMs).then(() => `was not resolved by DNS within ${lookupMs / 1000} s`);
  const answer = question.answer.then(
    (found) => found.map(({ address }) => address),
    (error: unknown) => `cannot be resolved: ${describeNetworkError(error)}`,
  );
  return Promise.race([answer, timeout]);
}

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
      'stop it, or start it with --upstream and the URL of this store; `skulk store promote --undo` takes the promotion back',
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

/** On the host: checks that the disk is mounted and has space, and that the registry is correct. */
export async function checkStorePath({ config }: Deps, disk: LocalStore, isUsable: () => Promise<void>): Promise<readonly Check[]> {
  const root = config.settings.storePath.value;
  try {
    await isUsable();
  } catch (error) {
    return [problemOf('store path', error)];
  }
  const exists = await stat(root).then(
    () => true,
    () => false,
  );
  if (!exists) return [ok('store path', `${root} does not exist yet; \`skulk serve\` creates it`)];
  const room = await describeRoom(root);
  const path = room.isLow
    ? warning(
        'store path',
        `${root} has ${room.text}`,
        'delete unneeded models (`skulk registry` lists them), or move the store to a larger disk',
      )
    : ok('store path', `${root} is writable and has ${room.text}${await describeIdentity(root)}`);
  try {
    const entries = await disk.listModels();
    const missing = await disk.listLost();
    if (missing.length === 0) return [path, ok('models', onDisk(entries.length))];
    return [
      path,
      problem(
        'models',
        `the registry lists ${missing.join(', ')}, but its directory is missing`,
        'restore the directory, or remove the model with `skulk delete`',
        'INTEGRITY',
      ),
    ];
  } catch (error) {
    return [path, problemOf('models', error)];
  }
}

async function describeIdentity(root: string): Promise<string> {
  const identity = await readStoreIdentity(storeLayout(root));
  if (identity === 'damaged') return '; the file with its id is corrupt, and the next `skulk serve` repairs it';
  return identity === undefined ? '' : `; its id is ${identity.id}`;
}

/** Describes the space on a path's disk. Under 5 % or 10 GiB is low. */
export async function describeRoom(path: string): Promise<{ readonly text: string; readonly isLow: boolean }> {
  const { free, total } = await diskRoom(path);
  return { text: `${formatBytes(free)} free of ${formatBytes(total)}`, isLow: free < total / 20 || free < 10 * 1024 ** 3 };
}

const onDisk = (models: number): string =>
  models === 0
    ? 'the registry has no models'
    : `${models === 1 ? 'the model of the registry is' : `all ${models} models of the registry are`} on the disk`;
