import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../kernel/errors.ts';
import { writeFileDurably } from '../kernel/files/durable-file.ts';
import { directoryName, type ModelId } from '../kernel/model-id.ts';
import type { Manifest } from '../protocol/manifest.ts';
import { type Metainfo, makeMetainfo, readMetainfo } from './metainfo.ts';

/** The kept descriptions of a store's models. A description is made once for each content. */
export interface Torrents {
  /** @throws as `makeMetainfo` */
  find(manifest: Manifest, directory: string, signal: AbortSignal): Promise<Metainfo>;
  /** Removes those of a model. */
  remove(modelId: ModelId): Promise<void>;
}

/** @param root `torrents/` of the store */
export function openTorrents(root: string): Torrents {
  const fileOf = ({ model_id, digest }: Manifest): string => join(root, directoryName(model_id), `${digest}.torrent`);
  return {
    find: async (manifest, directory, signal) => {
      const path = fileOf(manifest);
      const kept = await readFile(path).catch((error: unknown) => {
        if (isSystemError(error, 'ENOENT')) return undefined;
        throw error;
      });
      const known = kept === undefined ? undefined : readMetainfo(manifest, kept);
      if (known !== undefined) return known;
      const made = await makeMetainfo(manifest, directory, signal);
      await mkdir(join(root, directoryName(manifest.model_id)), { recursive: true });
      // Those of earlier contents are useless.
      for (const name of await readdir(join(root, directoryName(manifest.model_id))))
        await rm(join(root, directoryName(manifest.model_id), name), { force: true });
      await writeFileDurably(path, made.torrent);
      return made;
    },
    remove: (modelId) => rm(join(root, directoryName(modelId)), { recursive: true, force: true }),
  };
}
