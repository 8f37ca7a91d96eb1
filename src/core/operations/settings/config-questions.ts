import { isIP, isIPv6 } from 'node:net';
import { join, resolve } from 'node:path';
import { checkDirectory } from '../../config/check-paths.ts';
import { expandPath } from '../../config/resolve/expand-path.ts';
import type { SettingFlags } from '../../config/settings.ts';
import { isHomeMoved, skulkHomeOf } from '../../config/skulk-home.ts';
import { mayUseMdns } from '../../connect/may-use-mdns.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { isTaken, isThere } from '../../kernel/files/is-there.ts';
import type { World } from '../../kernel/world.ts';
import { diskRoom } from '../../transfer/disk-room.ts';
import { configFileOf, type InitAnswers, previewConfig } from './config.ts';

/** A store's address, as the configuration names it. */
export type StorePlace = Required<Pick<InitAnswers, 'storeHost' | 'storeHttpHost' | 'storePort'>>;

/** A store that the user can choose. */
export interface OfferedStore {
  readonly url: string;
  readonly hostname: string;
  readonly version: string;
}

/** A directory that the user wants to use; sizes in bytes. */
export interface PathView {
  /** The absolute path. */
  readonly path: string;
  readonly isThere: boolean;
  readonly free_bytes: number;
}

/** The questions of `config init`, and the validation of the answers. */
export interface ConfigQuestions {
  /** The file to write. */
  readonly path: string;
  readonly hostname: string;
  /** The default directory of the canonical copies, as an absolute path. */
  readonly storePath: string;
  /** The default directory of this machine's own copies, as written in the file. */
  readonly nodeCachePath: string;
  /** GiB. */
  readonly keepRecentGb: number;
  /** Finds the stores that announce themselves on the LAN. */
  findStores(signal: AbortSignal): Promise<readonly OfferedStore[]>;
  /** How the configuration should name a store on the LAN. */
  placeOf(store: OfferedStore, signal: AbortSignal): Promise<StorePlace>;
  /**
   * Connects to a store at a name, an address or a URL.
   * @throws SkulkError CONFIG for an invalid text; STORE_UNREACHABLE
   */
  connect(text: string, signal: AbortSignal): Promise<StorePlace>;
  /** How the configuration should name a typed address, whether or not a store answers there. Throws SkulkError CONFIG. */
  read(text: string): StorePlace;
  /** @throws SkulkError CONFIG for a directory that is missing and cannot be created, or is not writable */
  inspectPath(text: string): Promise<PathView>;
  /** The content of the file. Throws SkulkError CONFIG for impossible answers. */
  preview(answers: InitAnswers): string;
}

const listenMs = 2_000;
/** Short limits, because a user waits for the answer. */
const patience = { stallTimeoutMs: 2_000, connectTimeoutMs: 2_000, connections: 1 };
const usualPort = 58_080;

/** @throws SkulkError CONFLICT if the file exists, unless it may be overwritten */
export async function openConfigQuestions(
  world: World,
  { flags, force }: { readonly flags: SettingFlags; readonly force: boolean },
): Promise<ConfigQuestions> {
  const path = configFileOf(world, flags);
  if (!force && (await isTaken(path)))
    throw new SkulkError('CONFLICT', `${path} already exists`, {
      hint: 'use another file with --config, or overwrite it with --force',
    });
  const expand = (text: string): string => resolve(world.cwd, expandPath(text, world));
  return {
    path,
    hostname: world.hostname,
    storePath: join(skulkHomeOf(world), 'store'),
    nodeCachePath: isHomeMoved(world) ? join(skulkHomeOf(world), 'staging') : '~/.skulk/staging',
    keepRecentGb: 40,
    findStores: async (signal) => {
      if (!mayUseMdns({ world })) return [];
      const { discoverStores } = await import('../../connect/mdns.ts');
      return discoverStores({ timeoutMs: listenMs, signal, onProblem: () => {} });
    },
    placeOf: async ({ url, hostname }, signal) => settle(world, { ...readPlace(url), hostname }, signal),
    connect: async (text, signal) => {
      const { host, port } = readPlace(text);
      const { hostname } = await ask(world, { host, port }, signal);
      return settle(world, { host, port, hostname }, signal);
    },
    read: (text) => {
      return readStorePlace(text);
    },
    inspectPath: async (text) => {
      if (text.trim() === '') throw new SkulkError('CONFIG', 'no directory given', { hint: 'use an absolute path' });
      const directory = expand(text.trim());
      await checkDirectory(directory, 'the directory', { mayBeMissing: true });
      return { path: directory, isThere: await isThere(directory), free_bytes: (await diskRoom(directory)).free };
    },
    preview: (answers) => previewConfig(world, path, answers),
  };
}

/** The host and the port of a store's URL, or of a host with a port, for the configuration. @throws SkulkError CONFIG */
export function readStorePlace(text: string): StorePlace {
  const { host, port } = readPlace(text);
  return { storeHost: host, storeHttpHost: undefined, storePort: port };
}

interface Place {
  readonly host: string;
  readonly port: number;
}

/** @throws SkulkError CONFIG */
function readPlace(text: string): Place {
  const typed = text.trim();
  const whole = isIPv6(typed) ? `http://[${typed}]` : typed.includes('://') ? typed : `http://${typed}`;
  const url = URL.canParse(whole) ? new URL(whole) : undefined;
  if (typed === '' || url === undefined || url.username !== '' || url.search !== '' || url.hash !== '' || url.pathname !== '/')
    throw new SkulkError('CONFIG', `${JSON.stringify(typed.slice(0, 80))} is not a valid store address`, {
      hint: 'use a name or an address, e.g. mac-studio-1 or 192.168.1.10:58080, with a port from 1 to 65535',
    });
  if (url.protocol !== 'http:')
    throw new SkulkError('CONFIG', `the configuration supports http stores only, not ${url.protocol.replace(/:$/, '')}`, {
      hint: 'set SKULK_STORE to that URL instead',
    });
  // Names keep their case, as in the host's own file.
  const name = /^http:\/\/(\[[^\]]*\]|[^:/]*)/i.exec(whole)?.[1] ?? url.hostname;
  return { host: name.replace(/^\[|\]$/g, ''), port: url.port === '' && !/:80\/?$/.test(whole) ? usualPort : Number(url.port || 80) };
}

/** A bare address may change and is hard to recognize, so the store's own name is used if it leads to the same store. */
async function settle(
  world: World,
  { host, port, hostname }: Place & { readonly hostname: string },
  signal: AbortSignal,
): Promise<StorePlace> {
  if (isIP(host) === 0 || hostname === '') return { storeHost: host, storeHttpHost: undefined, storePort: port };
  const instanceAt = async (name: string): Promise<string | null> => {
    const { instance } = await ask(world, { host: name, port }, signal);
    return instance;
  };
  const byName = instanceAt(hostname).catch(() => null);
  const byAddress = instanceAt(host).catch(() => null);
  const isSame = (await byName) !== null && (await byName) === (await byAddress);
  return { storeHost: hostname, storeHttpHost: isSame ? undefined : host, storePort: port };
}

async function ask(world: World, { host, port }: Place, signal: AbortSignal) {
  const { createStoreClient } = await import('../../client/store-client.ts');
  const url = `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  const store = createStoreClient({ url, signal, userAgent: `skulk/${world.version}`, ...patience });
  try {
    return await store.health();
  } finally {
    store.close();
  }
}
