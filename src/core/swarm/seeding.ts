import { randomBytes } from 'node:crypto';
import { link, mkdir, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { SkulkError } from '../kernel/errors.ts';
import type { Manifest } from '../protocol/manifest.ts';
import type { LocalStore, OpenFile } from '../store/local-store.ts';
import { type Aria2, findAria2, startAria2 } from './aria2.ts';
import { endLeftAria2, recordAria2 } from './left-aria2.ts';
import { type Metainfo, swarmFiles } from './metainfo.ts';

/** The store host, or a node that serves, as a peer. Its aria2 runs while there is something to send. */
export interface Seeding extends AsyncDisposable {
  /** Sends the files of a model to peers. Throws if the disk has no hard links, a file is not as in the manifest, or aria2 fails. */
  begin(manifest: Manifest, metainfo: Pick<Metainfo, 'torrent'>, announce: string): Promise<void>;
  /** The bytes that it has sent of this content. */
  sent(digest: string): Promise<number>;
  /** Stops sending this content. */
  end(digest: string): Promise<void>;
  /** Ends aria2 if it sends nothing. */
  rest(): Promise<void>;
}

/** What such a machine needs. */
export interface SeedingOptions {
  readonly store: Pick<LocalStore, 'openFile'>;
  /** `seeding/` of the store or the staging directory, on the file system of the models. */
  readonly place: string;
  /** The directory of a model's files. */
  readonly directoryOf: (manifest: Manifest) => Promise<string>;
  readonly world: { readonly env: Readonly<Record<string, string | undefined>>; readonly cwd: string; readonly signal: AbortSignal };
  readonly uploadLimit: number | undefined;
  readonly port: number;
  /** The IPv4 address for peers; all if undefined. */
  readonly address?: string | undefined;
}

/** More files than this are not kept open. */
const maxHandles = 500;

/**
 * aria2 creates a file that it does not find. So it never gets the directory of a model, but a private one with a link to each file,
 * where a missing file is created without harm. On Linux the link leads to a file that this process keeps open, in /proc, where nothing can
 * be created. Elsewhere it is a hard link, which changes the ctime of the file: the store then hashes it again at its next use. The aria2 and the directory of a killed process are removed first.
 */
export async function openSeeding({ store, place, directoryOf, world, uploadLimit, port, address }: SeedingOptions): Promise<Seeding> {
  const record = join(place, 'aria2.json');
  await endLeftAria2(record);
  await rm(place, { recursive: true, force: true });
  const own = join(place, randomBytes(8).toString('hex'));
  const running = new Map<string, string>();
  const open = new Map<string, OpenFile[]>();
  let aria2: Promise<Aria2> | undefined;
  const start = async (): Promise<Aria2> => {
    const program = findAria2(world);
    if (program === undefined) throw new SkulkError('COMMAND_NOT_FOUND', 'aria2 is not installed');
    const directory = join(own, 'aria2');
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return startAria2({
      program,
      directory,
      signal: world.signal,
      uploadLimit,
      port,
      address,
      onStart: (identity) => recordAria2(record, identity),
    });
  };
  const current = async (): Promise<Aria2> => {
    const before = await aria2?.catch(() => undefined);
    if (before === undefined || before.isOver()) {
      running.clear();
      for (const digest of [...open.keys()]) await closeFiles(digest);
      aria2 = start();
    }
    return (await aria2) as Aria2;
  };
  const linkFiles = async (manifest: Manifest): Promise<void> => {
    const to = join(own, manifest.digest);
    await rm(to, { recursive: true, force: true });
    await mkdir(to, { recursive: true, mode: 0o700 });
    const from = await directoryOf(manifest);
    const files = swarmFiles(manifest);
    const held: OpenFile[] = [];
    open.set(manifest.digest, held);
    const isNamedByHandle = files.length <= maxHandles && process.platform === 'linux';
    for (const [index, { path, size, sha256 }] of files.entries()) {
      // The store checks that the file is the one that it hashed.
      const file = await store.openFile(manifest.model_id, path);
      held.push(file);
      const at = join(to, String(index));
      if (isNamedByHandle) await symlink(`/proc/${process.pid}/fd/${file.handle.fd}`, at);
      else await link(join(from, path), at);
      const [opened, linked] = [await file.handle.stat({ bigint: true }), await stat(at, { bigint: true })];
      if (!isNamedByHandle) await held.pop()?.[Symbol.asyncDispose]();
      if (linked.isFile() && opened.ino === linked.ino && opened.dev === linked.dev && file.size === size && file.sha256 === sha256)
        continue;
      throw new SkulkError('INTEGRITY', `${path} of ${manifest.model_id} differs from its manifest`);
    }
  };
  const closeFiles = async (digest: string): Promise<void> => {
    const held = open.get(digest) ?? [];
    open.delete(digest);
    for (const file of held) await file[Symbol.asyncDispose]();
  };
  const end = async (digest: string): Promise<void> => {
    const handle = running.get(digest);
    running.delete(digest);
    const at = await aria2?.catch(() => undefined);
    if (handle !== undefined && at?.isOver() === false) await at.remove(handle).catch(() => undefined);
    await closeFiles(digest);
    await rm(join(own, digest), { recursive: true, force: true });
  };
  const stop = async (): Promise<void> => {
    const at = await aria2?.catch(() => undefined);
    aria2 = undefined;
    running.clear();
    await at?.[Symbol.asyncDispose]();
    for (const digest of [...open.keys()]) await closeFiles(digest);
    await rm(record, { force: true });
    await rm(own, { recursive: true, force: true });
  };
  return {
    begin: async (manifest, metainfo, announce) => {
      const at = await current();
      if (running.has(manifest.digest)) return;
      try {
        await linkFiles(manifest);
        running.set(manifest.digest, await at.add({ torrent: metainfo.torrent, announce, directory: own, isSeed: true }));
      } catch (error) {
        await end(manifest.digest);
        throw error;
      }
    },
    sent: async (digest) => {
      const handle = running.get(digest);
      const at = await aria2?.catch(() => undefined);
      if (handle === undefined || at === undefined || at.isOver()) return 0;
      return (await at.state(handle).catch(() => undefined))?.uploadLength ?? 0;
    },
    end,
    rest: async () => {
      if (running.size === 0) await stop();
    },
    [Symbol.asyncDispose]: stop,
  };
}
