import { networkInterfaces } from 'node:os';
import type { Deps } from '../../connect/deps.ts';
import { openStore } from '../../connect/open-store.ts';
import { remoteUrl } from '../../connect/remote-url.ts';
import { initCommand } from '../../connect/store/store-errors.ts';
import { urlFromHere } from '../../connect/url-from-here.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { explainAnySystemError } from '../../kernel/explain-system-error.ts';
import { normalizeHostname } from '../../kernel/machine/hostname.ts';
import { isOwnAddress } from '../../kernel/machine/own-address.ts';
import { resolveName } from '../../kernel/machine/resolve-name.ts';
import { readLock } from '../../kernel/process/lock.ts';
import { storeLayout } from '../../store/layout.ts';
import { type Check, ok, problem, problemOf, warning } from './check.ts';

/** The role of this machine, as its commands see it. */
export interface Role {
  readonly check: Check;
  /** The HTTP address of the store, if it has one. */
  readonly url: string | undefined;
  /** Whether the canonical copies are on this machine's disk. */
  readonly isHost: boolean;
  /** The check already warns that there is no store. */
  readonly isWithoutStore?: boolean;
}

/** Finds out whether this machine is a store host or a node, and of which store. */
export async function findRole(deps: Deps): Promise<Role> {
  const { config } = deps;
  const { enabled, storeHost, storeUrl, storePath } = config.settings;
  const isHost = config.isStoreHost;
  if (!enabled.value) {
    const off = problem(
      'role',
      'the store is disabled (model_store.enabled is false)',
      'set model_store.enabled to true',
      'STORE_NOT_CONFIGURED',
    );
    return { check: off, url: undefined, isHost: false };
  }
  const { origin } = storeUrl;
  if (storeUrl.value !== undefined) {
    const who = origin.from === 'environment' || origin.from === 'flag' ? origin.name : 'the configuration';
    return { check: ok('role', `a node of ${storeUrl.value}, set by ${who}`), url: remoteUrl(config), isHost };
  }
  // The check of the store's directory says why it cannot be read.
  const holder = isHost ? await readLock(storeLayout(storePath.value).lock).catch(() => undefined) : undefined;
  const running = holder === undefined ? undefined : urlFromHere(holder);
  if (storeHost.value !== undefined) {
    const here = isHost ? undefined : (await resolveName(normalizeHostname(storeHost.value))).find(isOwnAddress);
    if (here !== undefined)
      return {
        check: warning(
          'role',
          `store_host ${storeHost.value} resolves to ${here}, an address of this machine, but its name is ${config.hostname}: \`skulk serve\` runs as the store host, and other commands reach it over the network`,
          `set store_host: ${config.hostname} in ${config.file ?? 'skulk.yaml'}`,
        ),
        url: remoteUrl(config),
        isHost,
      };
    const self = `${config.hostname}${config.nodeId === undefined ? '' : `, node id ${config.nodeId}`}`;
    const found = isHost
      ? `the store host: store_host ${storeHost.value} is this machine (${self})`
      : `a node of ${storeHost.value}; this machine is ${self}`;
    return { check: ok('role', found), url: remoteUrl(config) ?? running, isHost };
  }
  if (config.isStoreNamed || running !== undefined)
    return { check: ok('role', 'the store host, because no other is configured'), url: running, isHost };
  return findUnnamed(deps);
}

/** Handles a configuration that names no store. */
async function findUnnamed(deps: Deps): Promise<Role> {
  try {
    await using opened = await openStore(deps);
    const { url } = opened;
    if (url === undefined) return { check: ok('role', 'the store host, because no other is configured'), url, isHost: true };
    if (!isHere(new URL(url).hostname))
      return { check: ok('role', `a node of ${url}, which was found by mDNS, because no store is configured`), url, isHost: false };
    const check = warning(
      'role',
      `a server runs on this machine at ${url}, but commands here know only its port`,
      `set its store_path in skulk.yaml: ${initCommand} --store-host THIS-MACHINE --store-path DIR`,
    );
    return { check, url, isHost: false };
  } catch (caught) {
    const error = explainAnySystemError(caught);
    if (!(error instanceof SkulkError)) throw error;
    // A new user has done nothing wrong yet.
    if (error.code === 'STORE_NOT_CONFIGURED')
      return {
        check: warning('role', error.message, error.hint ?? 'run `skulk serve`'),
        url: undefined,
        isHost: true,
        isWithoutStore: true,
      };
    return { check: problemOf('role', error), url: undefined, isHost: false };
  }
}

const isHere = (host: string): boolean =>
  host.startsWith('127.') ||
  Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === host) === true);
