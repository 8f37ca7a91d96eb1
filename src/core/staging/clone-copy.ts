import { join } from 'node:path';
import { SkulkError } from '../kernel/errors.ts';
import { makeDirectory } from '../kernel/files/make-directory.ts';
import { quote } from '../kernel/files/relative-path.ts';
import type { Manifest } from '../protocol/manifest.ts';
import { cloneFile } from '../transfer/clone-file.ts';
import { requireRoom } from '../transfer/disk-room.ts';
import { explainUnhashable } from '../transfer/hashing/hash-pool.ts';
import { enterWorkPlace, removeWorkPlace } from '../transfer/work-place.ts';
import { copyPath, incomingCopy } from './layout.ts';
import { requireOneDisk } from './prepare-root.ts';
import { type PublishTools, publishCopy } from './publish-copy.ts';
import { sweepTrash } from './sweep-trash.ts';

/** The result of a clone. */
export interface CloneOutcome {
  readonly path: string;
  /** Bytes that had to be copied because the disk cannot share blocks. */
  readonly bytesCopied: number;
}

/**
 * Makes a staged copy from the canonical directory on the same machine: reflinks if the disk supports them, else copies. Either way every
 * byte is hashed. The caller holds the copy's lock.
 * @throws SkulkError INTEGRITY if the canonical copy does not match its manifest, NO_SPACE
 */
export async function cloneCopy(
  manifest: Manifest,
  canonical: string,
  tools: PublishTools & { readonly onBytes: (done: number, total: number) => void },
): Promise<CloneOutcome> {
  const { layout, signal, onBytes } = tools;
  const incoming = incomingCopy(layout, manifest.model_id);
  const total = manifest.files.reduce((sum, { size }) => sum + size, 0);
  await sweepTrash(layout, signal);
  await removeWorkPlace(incoming);
  await enterWorkPlace(
    incoming,
    manifest.files.map(({ path }) => path),
  );
  await makeDirectory(incoming.files);
  await requireOneDisk(layout, incoming.files);
  let done = 0;
  let bytesCopied = 0;
  let isRoomChecked = false;
  for (const { path, size, sha256 } of manifest.files) {
    const from = join(canonical, path);
    const cloned = await cloneFile(from, join(incoming.files, path), {
      signal,
      onBytes: (bytes) => onBytes(done + bytes, total),
      // Shared blocks take no space, so the space check has to wait until here.
      beforeCopy: async () => {
        if (!isRoomChecked) await requireRoom(layout.root, total - done, `staging ${manifest.model_id}`);
        isRoomChecked = true;
      },
    }).catch((error: unknown) => {
      throw explainUnhashable(error, from);
    });
    if (cloned.sha256 !== sha256) {
      await removeWorkPlace(incoming);
      throw new SkulkError('INTEGRITY', `${quote(path)} of ${manifest.model_id} does not match the store's manifest`, {
        hint: 'run `skulk verify` on the store host',
      });
    }
    if (!cloned.shared) bytesCopied += size;
    done += size;
    onBytes(done, total);
  }
  await publishCopy(manifest, incoming, tools);
  return { path: copyPath(layout, manifest.model_id), bytesCopied };
}
