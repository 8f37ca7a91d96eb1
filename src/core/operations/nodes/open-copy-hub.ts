import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deps } from '../../connect/deps.ts';
import type { StoreLink } from '../../connect/store-link.ts';
import { type CopyHub, createCopyHub } from '../../endpoint/held/copy-hub.ts';
import { createRegistry, type Registry } from '../../endpoint/registry/registry.ts';
import { gitBlobId, wouldBeLfs } from '../../endpoint/view/file-identity.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import type { CopyRecord } from '../../staging/copy-record.ts';
import { copyPath, stagingLayout } from '../../staging/layout.ts';
import { createCopyUses } from '../../staging/serving/copy-uses.ts';
import { createKeptListings } from '../../staging/serving/kept-listings.ts';
import { createServedCopies } from '../../staging/serving/served-copies.ts';
import { readGgufHeader } from '../../store/facts/read-gguf-facts.ts';
import { keepListings, type ListingKeeper } from './keep-listings.ts';

/** Serves the copies of this machine as a Hub and a registry. */
export interface OpenedCopyHub extends AsyncDisposable {
  readonly backend: CopyHub;
  readonly registry: Registry;
  /** Saves the store's answers about staged models, for the time when it is unreachable. */
  readonly listings: ListingKeeper;
}

/** Opens the Hub. No file is read before the first request. @param link the connection to the store */
export function openCopyHub({ world, config }: Deps, link: Pick<StoreLink, 'ask' | 'mayForward' | 'url'>): OpenedCopyHub {
  const layout = stagingLayout(config.settings.nodeCachePath.value);
  // Running requests get time to finish when the server ends.
  const uses = createCopyUses(layout, { purpose: 'a Hub client', now: world.now, signal: new AbortController().signal });
  const copies = createServedCopies(layout, uses);
  const kept = createKeptListings(layout);
  const identified = new WeakMap<CopyRecord, Promise<Manifest>>();
  const backend = createCopyHub({
    list: copies.list,
    kept: kept.read,
    open: copies.open,
    manifest: async (modelId) => {
      const record = await copies.read(modelId);
      if (record === undefined) return undefined;
      const known = identified.get(record) ?? identify(record.manifest, copyPath(layout, modelId));
      identified.set(record, known);
      known.catch(() => identified.delete(record));
      return known;
    },
  });
  const registry = createRegistry({
    hub: backend,
    header: async (repo, file) => (file.isHeld ? (await readGgufHeader(join(copyPath(layout, repo.id), file.path))).header : undefined),
    pinOf: async ({ id }) => (await copies.read(id))?.pin,
  });
  const listings = keepListings({ world, config }, { copies, kept, link, fits: backend.fits });
  return {
    backend,
    registry,
    listings,
    [Symbol.asyncDispose]: async () => {
      await listings[Symbol.asyncDispose]();
      await uses[Symbol.asyncDispose]();
    },
  };
}

/** Computes the git ids that a manifest of an earlier version lacks. */
async function identify(manifest: Manifest, directory: string): Promise<Manifest> {
  const files = await Promise.all(
    manifest.files.map(async (file) => {
      if (file.hub_id !== undefined || file.size === 0 || wouldBeLfs(file)) return file;
      return { ...file, hub_id: gitBlobId(await readFile(join(directory, file.path))) };
    }),
  );
  return files.every((file, index) => file === manifest.files[index]) ? manifest : { ...manifest, files };
}
