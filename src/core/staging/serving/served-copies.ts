import { constants, fstatSync } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../../kernel/errors.ts';
import { directoryName, type ModelId, modelIdOfDirectory } from '../../kernel/model-id.ts';
import type { OpenFile } from '../../store/local-store.ts';
import { fingerprintOf, sameFingerprint } from '../../transfer/fingerprint.ts';
import { type CopyRecord, readCopyRecord } from '../copy-record.ts';
import { type GroupFiles, splitGroups } from '../groups/copy-groups.ts';
import { copyPath, copyRecordName, type StagingLayout } from '../layout.ts';
import type { CopyUses } from './copy-uses.ts';
import { createFileMemory } from './file-memory.ts';

/** The verified copies of this machine that can be sent to other programs. */
export interface ServedCopies {
  /** The models with a copy, in no order. */
  list(): Promise<readonly ModelId[]>;
  /** The copy of a model; undefined if there is no verified one. The same object until the copy changes. */
  read(modelId: ModelId): Promise<CopyRecord | undefined>;
  /**
   * Opens a file of a copy. The copy counts as in use until the file is closed. Undefined if the copy does not have the file, or the file
   * changed since it was verified.
   */
  open(modelId: ModelId, path: string): Promise<OpenFile | undefined>;
}

/** The number of copies whose records are kept in memory. */
const maxKnown = 64;

/** @param uses publishes which files are being sent */
export function createServedCopies(layout: StagingLayout, uses: Pick<CopyUses, 'begin'>): ServedCopies {
  const known = createFileMemory<ModelId, CopyRecord | undefined>(maxKnown);
  const read = (modelId: ModelId): Promise<CopyRecord | undefined> => {
    const directory = copyPath(layout, modelId);
    return known.read(modelId, join(directory, copyRecordName), async () => {
      const found = await readCopyRecord(directory);
      return found?.manifest.model_id === modelId ? found : undefined;
    });
  };
  return {
    read,
    list: async () => {
      const items = await readdir(layout.root, { withFileTypes: true }).catch((error: unknown) => {
        if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return [];
        throw error;
      });
      return items.flatMap((item) => {
        const modelId = item.isDirectory() ? modelIdOfDirectory(item.name) : undefined;
        return modelId === undefined || directoryName(modelId) !== item.name ? [] : [modelId];
      });
    },
    open: async (modelId, path) => {
      const copy = await read(modelId);
      if (copy === undefined || !hasFile(copy, path)) return undefined;
      const end = await uses.begin(modelId, groupOf(copy, path));
      // From here on the copy is not removed, so its current state counts.
      const file = await openVerified(layout, modelId, { path, record: await read(modelId) }).catch((error: unknown) => {
        end();
        throw error;
      });
      if (file === undefined) {
        end();
        return undefined;
      }
      return {
        ...file,
        [Symbol.asyncDispose]: async () => {
          end();
          await file.handle.close();
        },
      };
    },
  };
}

const hasFile = ({ manifest }: CopyRecord, path: string): boolean => manifest.files.some((file) => file.path === path);

/** The quantization of a file; in a copy with only one, that one for every file. */
function groupOf({ manifest, groups }: CopyRecord, path: string): GroupFiles | undefined {
  const parts = splitGroups(manifest, groups);
  return parts.find(({ files }) => files.includes(path)) ?? (parts.length === 1 ? parts[0] : undefined);
}

async function openVerified(
  layout: StagingLayout,
  modelId: ModelId,
  { path, record }: { readonly path: string; readonly record: CopyRecord | undefined },
): Promise<Omit<OpenFile, keyof AsyncDisposable> | undefined> {
  const expected = record?.manifest.files.find((file) => file.path === path);
  if (record === undefined || expected === undefined) return undefined;
  const how = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
  const handle = await open(join(copyPath(layout, modelId), path), how).catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  });
  if (handle === undefined) return undefined;
  const info = fstatSync(handle.fd, { bigint: true });
  // A new hard link to this file changes only its ctime.
  if (info.isFile() && expected.size === Number(info.size) && sameFingerprint(record.seen[path], fingerprintOf(info)))
    return { handle, size: expected.size, sha256: expected.sha256 };
  await handle.close();
  return undefined;
}
