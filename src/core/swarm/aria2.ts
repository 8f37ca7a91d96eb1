import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SkulkError } from '../kernel/errors.ts';
import { writeFileDurably } from '../kernel/files/durable-file.ts';
import { findProgram, startProgram } from '../kernel/process/child-program.ts';
import type { ProcessIdentity } from '../kernel/process/process-identity.ts';
import { makeSecret } from '../kernel/secret.ts';

/** What aria2 reports about one torrent; lengths are in bytes. */
export interface TorrentState {
  /** As aria2 names it: `active`, `waiting`, `paused`, `error`, `complete` or `removed`. */
  readonly status: string;
  /** Of the wanted pieces. */
  readonly completedLength: number;
  readonly uploadLength: number;
  /** Whether every wanted piece is here. */
  readonly isComplete: boolean;
  /** Whether it still reads what is here already. */
  readonly isChecking: boolean;
}

/** One torrent for aria2. */
export interface TorrentToAdd {
  readonly torrent: Uint8Array;
  /** The URL of the tracker, with the secret of this member. */
  readonly announce: string;
  readonly directory: string;
  /** The place of each file of the torrent, below `directory`, in order; if absent, they are in a directory with the torrent's name. */
  readonly places?: readonly string[];
  /** The numbers of the wanted files, from 0; if absent, all. */
  readonly wanted?: readonly number[];
  /** The files are complete and only read. */
  readonly isSeed: boolean;
}

/** A running aria2, which only this process can command. */
export interface Aria2 extends AsyncDisposable {
  readonly isOver: () => boolean;
  /** @returns its handle. Throws if aria2 refuses it or has ended. */
  add(torrent: TorrentToAdd): Promise<string>;
  state(handle: string): Promise<TorrentState>;
  remove(handle: string): Promise<void>;
}

/** How to start aria2. */
export interface Aria2Options {
  readonly program: string;
  /** A private directory for its settings; it exists. */
  readonly directory: string;
  readonly signal: AbortSignal;
  /** Bytes per second; no limit if undefined. */
  readonly uploadLimit?: number | undefined;
  readonly downloadLimit?: number | undefined;
  /** The IPv4 address to use for peers; all if undefined. */
  readonly address?: string | undefined;
  /** The first port to listen on for peers; a later free one is taken if others use it. */
  readonly port: number;
  /** Called with its process before it begins. */
  readonly onStart?: (identity: ProcessIdentity) => Promise<void>;
}

const portsToTry = 100;

/** The ports that copies in progress listen on, from the configured one on: each takes the first free one. */
export const swarmPorts = (port: number): string => `${port}-${Math.min(65_535, port + portsToTry)}`;

const startTries = 5;
/** How long aria2 may take to end, in milliseconds. */
const graceMs = 3_000;

/** The path of aria2; undefined if it is not installed. */
export function findAria2(where: { readonly env: Readonly<Record<string, string | undefined>>; readonly cwd: string }): string | undefined {
  try {
    return findProgram('aria2c', where);
  } catch {
    return undefined;
  }
}

/** The version of aria2, such as `1.36.0`; undefined if the program does not start or is another one. */
export function aria2Version(program: string): Promise<string | undefined> {
  const options = { timeout: 10_000, env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' } };
  return new Promise((settle) =>
    execFile(program, ['--version'], options, (error, output) =>
      settle(error === null ? /^aria2 version (\S+)/.exec(output)?.[1] : undefined),
    ),
  );
}

/**
 * Starts aria2 in its own process group. It ends with this process, also after a kill.
 * @throws SkulkError COMMAND_NOT_FOUND and others if it does not start; the signal's reason
 */
export async function startAria2(options: Aria2Options): Promise<Aria2> {
  for (let attempt = 1; ; attempt += 1) {
    const started = await tryStart(options);
    if (started !== undefined) return started;
    // Another program may have taken the port in the meantime.
    if (attempt === startTries) throw new SkulkError('CONFLICT', 'aria2 does not start', { hint: 'run `aria2c --version`' });
  }
}

async function tryStart(options: Aria2Options): Promise<Aria2 | undefined> {
  const { program, directory, signal, onStart } = options;
  signal.throwIfAborted();
  const secret = makeSecret();
  const rpcPort = await findFreePort();
  const settings = join(directory, 'aria2.conf');
  // Arguments of a process are visible to other users, so the secret is in a file.
  await writeFileDurably(settings, settingsOf(options, { secret, rpcPort }), { mode: 0o600 });
  const child = await startProgram(program, [`--conf-path=${settings}`], {
    env: { PATH: '/usr/bin:/bin', HOME: directory, LC_ALL: 'C.UTF-8' },
    cwd: directory,
    output: 'ignore',
    isGroup: true,
  });
  let isOver = false;
  const ended = child.status.then(
    () => undefined,
    () => undefined,
  );
  void ended.then(() => {
    isOver = true;
  });
  const end = async (): Promise<void> => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    await ended;
    clearTimeout(timer);
  };
  const call = createCalls(rpcPort, secret);
  try {
    if (child.identity !== undefined) await onStart?.(child.identity);
    child.proceed();
    while (!isOver) {
      signal.throwIfAborted();
      if ((await call('aria2.getVersion').catch(() => undefined)) !== undefined) break;
      await sleep(20);
    }
  } catch (error) {
    await end();
    throw error;
  }
  if (isOver) return undefined;
  return {
    isOver: () => isOver,
    add: async (torrent) =>
      String(await call('aria2.addTorrent', Buffer.from(torrent.torrent).toString('base64'), [], torrentOptions(torrent))),
    state: async (handle) => stateOf(await call('aria2.tellStatus', handle, stateKeys)),
    remove: async (handle) => void (await call('aria2.forceRemove', handle)),
    [Symbol.asyncDispose]: end,
  };
}

function settingsOf(
  { uploadLimit, downloadLimit, address, port }: Aria2Options,
  { secret, rpcPort }: { readonly secret: string; readonly rpcPort: number },
): string {
  const settings = {
    quiet: true,
    'enable-rpc': true,
    'rpc-listen-all': false,
    'rpc-listen-port': rpcPort,
    'rpc-secret': secret,
    'rpc-max-request-size': '64M',
    'rpc-save-upload-metadata': false,
    'stop-with-process': process.pid,
    'listen-port': swarmPorts(port),
    ...(address !== undefined && { interface: address }),
    // Peers are only those of the tracker.
    'enable-dht': false,
    'enable-dht6': false,
    'enable-peer-exchange': false,
    'bt-enable-lpd': false,
    'disable-ipv6': true,
    'async-dns': false,
    'bt-tracker-interval': 5,
    'bt-tracker-connect-timeout': 10,
    'bt-tracker-timeout': 10,
    'max-concurrent-downloads': 256,
    'max-overall-upload-limit': uploadLimit ?? 0,
    'max-overall-download-limit': downloadLimit ?? 0,
    'file-allocation': 'none',
    // A killed aria2 loses nothing that it reported.
    'disk-cache': 0,
    'bt-save-metadata': false,
    'bt-load-saved-metadata': false,
    'follow-torrent': false,
    'seed-ratio': '0.0',
    'auto-file-renaming': false,
    'allow-overwrite': true,
    'auto-save-interval': 0,
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

function torrentOptions({ announce, directory, places, wanted, isSeed }: TorrentToAdd): Record<string, unknown> {
  return {
    dir: directory,
    'bt-tracker': announce,
    ...(places !== undefined && { 'index-out': places.map((place, index) => `${index + 1}=${place}`) }),
    ...(wanted !== undefined && { 'select-file': wanted.map((index) => index + 1).join(',') }),
    'check-integrity': 'false',
    ...(isSeed && { 'bt-seed-unverified': 'true' }),
  };
}

const stateKeys = ['status', 'completedLength', 'totalLength', 'uploadLength', 'verifiedLength', 'verifyIntegrityPending'];

function stateOf(value: unknown): TorrentState {
  const { status, completedLength, totalLength, uploadLength, ...checks } = (value ?? {}) as Record<string, unknown>;
  const isChecking = 'verifiedLength' in checks || checks['verifyIntegrityPending'] === 'true';
  return {
    status: String(status),
    completedLength: Number(completedLength) || 0,
    uploadLength: Number(uploadLength) || 0,
    isComplete: !isChecking && Number(totalLength) > 0 && completedLength === totalLength,
    isChecking,
  };
}

/** Calls methods of aria2 (JSON-RPC 2.0 over HTTP). */
function createCalls(port: number, secret: string): (method: string, ...parameters: readonly unknown[]) => Promise<unknown> {
  return async (method, ...parameters) => {
    const answer = await fetch(`http://127.0.0.1:${port}/jsonrpc`, {
      method: 'POST',
      body: JSON.stringify({ jsonrpc: '2.0', id: '1', method, params: [`token:${secret}`, ...parameters] }),
      signal: AbortSignal.timeout(60_000),
    });
    const { result, error } = (await answer.json()) as { result?: unknown; error?: { message?: unknown } };
    if (result === undefined) throw new Error(`aria2 refuses ${method}: ${String(error?.message)}`);
    return result;
  };
}

const findFreePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
