import { once } from 'node:events';
import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { patient } from '../../src/core/kernel/flow/backoff.ts';
import { directoryName } from '../../src/core/kernel/model-id.ts';
import type { Manifest } from '../../src/core/protocol/manifest.ts';
import { readPieceOf } from '../../src/core/store/read/read-piece.ts';
import { type Aria2, findAria2, startAria2 } from '../../src/core/swarm/aria2.ts';
import { fetchTogether, type TogetherOutcome } from '../../src/core/swarm/fetch-together.ts';
import { aria2Record } from '../../src/core/swarm/fetch-with-peers.ts';
import { createHostSwarms, type HostSwarms } from '../../src/core/swarm/host-swarms.ts';
import { swarmFiles } from '../../src/core/swarm/metainfo.ts';
import { openSeeding } from '../../src/core/swarm/seeding.ts';
import { openTorrents } from '../../src/core/swarm/torrents.ts';
import { fetchPieces } from '../../src/core/transfer/fetch-pieces.ts';
import { type Piece, splitIntoPieces } from '../../src/core/transfer/pieces.ts';
import { unlimited } from '../../src/core/transfer/rate-limiter.ts';
import { enterWorkPlace } from '../../src/core/transfer/work-place.ts';
import { atEnd } from '../helpers/at-end.ts';
import { directoryStore, type Models } from '../helpers/directory-store.ts';
import { noise } from '../helpers/model-files.ts';
import { temporaryDirectory } from '../helpers/temp-directory.ts';
import { until } from '../helpers/waiting.ts';

/** A store host with one model, whose nodes are in this process; each has an aria2. */
export interface SwarmWorld {
  readonly manifest: Manifest;
  readonly swarms: HostSwarms;
  /** The directory of the canonical files. */
  readonly canonical: string;
  readonly home: string;
  readonly warnings: readonly string[];
  readonly trackerUrl: string;
  /** Bytes that the host has sent to peers so far. */
  sent(): Promise<number>;
  /** Makes the store ready to share, so that the next nodes begin in the swarm. */
  prepare(): Promise<void>;
  startNode(name: string, options?: NodeOptions): SwarmNode;
  /** Starts a peer that says it has everything, and sends other bytes. */
  startLiar(): Promise<Aria2>;
}

interface NodeOptions {
  readonly signal?: AbortSignal;
  readonly stallMs?: number;
  readonly askEveryMs?: number;
  readonly pieces?: (all: readonly Piece[]) => readonly Piece[];
  /** Whether the store sends nothing by the wire, or only from a certain event on. */
  readonly isWireHeld?: boolean | Promise<void>;
  /** Whether the node reaches this port of the store host; always, if absent. */
  readonly reaches?: (port: number) => Promise<boolean>;
}

interface SwarmNode {
  readonly files: string;
  readonly done: Promise<TogetherOutcome>;
  /** The pieces that count. */
  readonly verified: readonly Piece[];
  readonly notes: readonly string[];
  bytesSoFar(): number;
  /** The process of its aria2, when it runs. */
  aria2(): Promise<number>;
}

const program = findAria2({ env: process.env, cwd: '/' }) ?? 'aria2c';
/** A range of its own, in which every aria2 of the test takes the next free port. */
const port = 42_000;

export async function swarmWorld(model: Models[string], { limit = 4 * 1024 * 1024, isAllowed = true } = {}): Promise<SwarmWorld> {
  const home = await temporaryDirectory();
  const store = await directoryStore({ 'org/a': model });
  atEnd(() => store[Symbol.asyncDispose]());
  const manifest = store.manifests.get('org/a') as Manifest;
  const canonical = join(store.root, directoryName(manifest.model_id));
  const stop = new AbortController();
  const world = { env: process.env, cwd: '/', signal: stop.signal };
  const directoryOf = async () => canonical;
  const place = join(store.root, 'seeding');
  const seeding = await openSeeding({ store, place, directoryOf, world, uploadLimit: limit, port });
  const warnings: string[] = [];
  let swarms: HostSwarms | undefined;
  const server = createServer(({ url = '', socket }, response) => {
    const addresses = { from: socket.remoteAddress ?? '', at: socket.localAddress ?? '' };
    response.end((swarms as HostSwarms).announce(url, addresses));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const trackerUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/swarm/announce`;
  swarms = createHostSwarms({
    store,
    seeding,
    torrents: openTorrents(join(store.root, 'torrents')),
    directoryOf,
    isAllowed: async () => isAllowed,
    trackerUrl: () => trackerUrl,
    signal: stop.signal,
    now: () => new Date(),
    warn: (message) => void warnings.push(message),
    // No member is silent for too long.
    clock: () => 0,
  });
  const running = swarms;
  atEnd(async () => {
    stop.abort();
    await running.close();
    server.close();
    server.closeAllConnections();
  });
  const { model_id: modelId, digest } = manifest;
  const prepare = async (): Promise<void> => {
    const keys = [await running.ask(modelId, { digest }, '127.0.0.1'), await running.ask(modelId, { digest }, '127.0.0.1')];
    const one = keys[0]?.member ?? '';
    await until(
      'the swarm',
      async () => (await running.ask(modelId, { digest, member: one }, '127.0.0.1')).state === 'swarm',
      () => warnings,
    );
    // They stay for a while, so that also the first node is not alone.
  };
  const startNode: SwarmWorld['startNode'] = (
    name,
    {
      signal = stop.signal,
      stallMs = Number.POSITIVE_INFINITY,
      askEveryMs = 200,
      pieces: select,
      isWireHeld = false,
      reaches = async () => true,
    } = {},
  ) => {
    const path = join(home, name);
    const files = join(path, 'files');
    const verified: Piece[] = [];
    const notes: string[] = [];
    let soFar = 0;
    const all = manifest.files.flatMap((file) => splitIntoPieces(file));
    const node = async (): Promise<TogetherOutcome> => {
      await enterWorkPlace(
        { path, files },
        manifest.files.map((file) => file.path),
      );
      for (const file of manifest.files) {
        await mkdir(dirname(join(files, file.path)), { recursive: true });
        await writeFile(join(files, file.path), '');
        await truncate(join(files, file.path), file.size);
      }
      return fetchTogether(
        {
          pieces: select?.(all) ?? all,
          directory: files,
          limiter: unlimited,
          policy: patient,
          signal: AbortSignal.any([signal, stop.signal]),
          onVerified: async (piece) => void verified.push(piece),
          onBytes: (bytes) => {
            soFar += bytes;
          },
          onDiscarded: () => undefined,
        },
        {
          manifest,
          place: { path, files },
          settings: { program, port, uploadLimit: limit },
          ask: (body) => running.ask(modelId, body, '127.0.0.1'),
          reaches: async (at) => reaches(at),
          announce: (member) => `${trackerUrl}?key=${member}`,
          fetchByWire: (plan) =>
            fetchPieces({
              ...plan,
              connections: 2,
              isTransient: () => false,
              read: async function* (piece, over) {
                if (isWireHeld !== false && !over.aborted)
                  await Promise.race([once(over, 'abort'), ...(isWireHeld === true ? [] : [isWireHeld])]);
                over.throwIfAborted();
                yield* readPieceOf({ modelId, path: piece.path, range: piece, sha256: piece.fileSha256 }, over, (id, path) =>
                  store.openFile(id, path),
                );
              },
            }),
          onNote: (message) => void notes.push(message),
          askEveryMs,
          // On a slow machine, peers may be silent for long.
          stallMs,
        },
      );
    };
    const record = aria2Record({ path, files });
    const aria2 = (): Promise<number> =>
      until('aria2 of the node', async () => JSON.parse(await readFile(record, 'utf8').catch(() => '{}')).pid as number | undefined);
    return { files, done: node(), verified, notes, bytesSoFar: () => soFar, aria2 };
  };
  const startLiar = async (): Promise<Aria2> => {
    const { member, torrent = '' } = await running.ask(modelId, { digest }, '127.0.0.1');
    const directory = join(home, 'liar');
    await mkdir(join(directory, digest), { recursive: true });
    for (const [index, { size }] of swarmFiles(manifest).entries())
      await writeFile(join(directory, digest, String(index)), noise(size, 100 + index));
    const liar = await startAria2({ program, directory, signal: stop.signal, port, uploadLimit: limit });
    atEnd(async () => liar[Symbol.asyncDispose]());
    const announce = `${trackerUrl}?key=${member}`;
    await liar.add({ torrent: Buffer.from(torrent, 'base64'), announce, directory, isSeed: true });
    return liar;
  };
  const sent = () => seeding.sent(digest);
  return { manifest, swarms: running, canonical, home, warnings, trackerUrl, sent, prepare, startNode, startLiar };
}
