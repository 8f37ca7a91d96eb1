import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createHostDownloads } from '../../src/core/connect/host-downloads.ts';
import { openHub } from '../../src/core/connect/open-hub.ts';
import { usualFetchLimits } from '../../src/core/endpoint/cold/bytes/file-fetch.ts';
import type { FetchLimits } from '../../src/core/endpoint/cold/bytes/file-fetch-contract.ts';
import { type ColdSettings, createColdHub } from '../../src/core/endpoint/cold/cold-hub.ts';
import type { HubAsker, HubBackend, HubRepo } from '../../src/core/endpoint/contract.ts';
import { createHostHub } from '../../src/core/endpoint/held/host-hub.ts';
import type { DownloadQueue } from '../../src/core/jobs/download-queue.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { openDiskStore } from '../../src/core/store/disk-store.ts';
import { storeLayout } from '../../src/core/store/layout.ts';
import { atEnd } from './at-end.ts';
import { fakeHub } from './fake-hub.ts';
import { temporaryDirectory } from './temp-directory.ts';
import { until } from './waiting.ts';
import { testConfig, testDeps, testWorld } from './world.ts';

const node: HubAsker = { mayFetch: true };

/** Timers that a test fires. */
export function windClock() {
  const timers = new Set<{ readonly act: () => void; readonly ms: number }>();
  return {
    after: (act: () => void, ms: number) => {
      const timer = { act, ms };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    /** Fires those with so many milliseconds. */
    ring: (ms: number): void => {
      for (const timer of [...timers].filter((one) => one.ms === ms)) {
        timers.delete(timer);
        timer.act();
      }
    },
  };
}

/** A store on a disk, its downloads, its missing files, and a strict stand-in for the Hub; everything except HTTP to clients. */
export async function coldWorld({
  root: given,
  settings: more = {},
  env = {},
  hub: at,
  ...limits
}: {
  root?: string;
  settings?: Partial<ColdSettings>;
  env?: Record<string, string>;
  hub?: Awaited<ReturnType<typeof fakeHub>>;
} & Partial<FetchLimits> = {}) {
  const hub = at ?? (await fakeHub());
  const home = await temporaryDirectory();
  const root = given ?? join(home, 'store');
  const stopping = new AbortController();
  const world = testWorld(home, { env: { HF_ENDPOINT: hub.url, ...env }, signal: stopping.signal });
  const deps = { ...testDeps(world, testConfig(world, { content: { model_store: { store_path: root } } })) };
  let downloads: DownloadQueue | undefined;
  const store = openDiskStore({
    root,
    world,
    nodeId: undefined,
    cardsPath: undefined,
    isBusy: (modelId) => (downloads?.isActive(modelId) === true ? 'downloaded' : undefined),
  });
  const opened = await openHub(deps, { connections: 16 });
  const settings: ColdSettings = { upstream: 'on-demand', maxFetchBytes: 2 ** 40, shareGated: true, ...more };
  /** Actions of a test during a transfer. */
  const hooks = { settings: (): void => undefined };
  const cold = createColdHub({
    store,
    source: opened.hub,
    directory: storeLayout(root).onDemand,
    fetched: storeLayout(root).fetched,
    settings: async () => {
      hooks.settings();
      return settings;
    },
    downloads: () => queue,
    emit: world.emit,
    signal: stopping.signal,
    limits: { ...usualFetchLimits, ...limits },
  });
  const queue = createHostDownloads(deps, store, { assertHeld: async () => {} }, cold.share);
  downloads = queue;
  const backend: HubBackend = createHostHub({ store, cold, isHidden: cold.isHidden });
  /** As when a server ends. */
  const close = async (): Promise<void> => {
    stopping.abort(new Error('the server ends'));
    await cold.close();
    await queue.close();
    await store.close();
    opened[Symbol.dispose]();
  };
  atEnd(close);
  const { signal } = new AbortController();
  const repo = (id: string, revision?: string): Promise<HubRepo> => backend.repo({ id, revision }, node, signal);
  return {
    hub,
    home,
    root,
    world,
    store,
    queue,
    cold,
    hooks,
    backend,
    close,
    repo,
    /** A reader, its received bytes, and a way to disconnect; the whole file if no range is given. */
    read: async (id: string, path: string, { start = 0, end }: { start?: number; end?: number } = {}) => {
      const model = await repo(id);
      const file = model.byPath.get(path);
      if (file === undefined) throw new Error(`${id} has no ${path}`);
      const leaving = new AbortController();
      const content = await backend.open(model, file, { range: { start, end: end ?? file.size }, asker: node, signal: leaving.signal });
      // Copied, because the bytes of a part are used for the next one.
      const parts: Uint8Array[] = [];
      const got = (): Buffer => Buffer.concat(parts);
      const all = (async () => {
        if (content.kind === 'file') {
          await using opened = content.file;
          return opened.handle.readFile();
        }
        for await (const part of content.bytes) parts.push(Buffer.from(part));
        return got();
      })();
      all.catch(() => undefined);
      return { kind: content.kind, all, got, leave: () => leaving.abort(new Error('the client left')) };
    },
    /** Settles when a download has ended. */
    downloaded: (id: string) =>
      until(`the download of ${id}`, async () => {
        const status = await queue.status({ modelId: parseModelId(id) }).catch(() => undefined);
        return status !== undefined && status.status !== 'pending' && status.status !== 'downloading' ? status : undefined;
      }),
    manifest: async (id: string) =>
      JSON.parse(await readFile(join(root, '.skulk/v1/manifests', `${id.replace('/', '--')}.json`), 'utf8')) as {
        commit: string;
        files: { path: string; sha256: string }[];
        upstream: { files: { path: string }[]; commit: string };
      },
    gets: (path: string) => hub.requests.filter((one) => one.startsWith('GET cdn') && one.endsWith(`/${path}`)),
  };
}
