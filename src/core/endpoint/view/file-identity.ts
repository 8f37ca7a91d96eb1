import { createHash } from 'node:crypto';
import type { RelativePath } from '../../kernel/files/relative-path.ts';
import type { Sha256 } from '../../kernel/sha256.ts';
import type { HubFile } from '../contract.ts';

/*
 * The ids of contents on a Hub (docs/hub-endpoint.md, "Files"). Clients cache a content under its ETag, and compare it with their own
 * hash. So the ids must be the same as on the Hub itself.
 */

/** The Hub keeps files from this size on in LFS, whatever their name is; in bytes. */
const largeBytes = 10 * 1024 * 1024;
const largeByName = /\.(?:gguf|safetensors|bin|onnx|pt|pth|h5|msgpack|ot|npz|tar|zip)$/i;

/** Whether a Hub would keep a new file in LFS. Pure. */
export const wouldBeLfs = ({ path, size }: { readonly path: string; readonly size: number }): boolean =>
  size >= largeBytes || largeByName.test(path);

/** The text that a repo has in git instead of an LFS file. Pure. Source: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md */
export const pointerText = ({ sha256, size }: { readonly sha256: Sha256; readonly size: number }): string =>
  `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize ${size}\n`;

/** The git id of a content: 40 hex digits. */
export const gitBlobId = (content: string | Uint8Array): string =>
  createHash('sha1')
    .update(`blob ${Buffer.byteLength(content)}\0`)
    .update(content)
    .digest('hex');

/** An LFS file of a repo. @param oid of the pointer, if it is already known */
export function lfsFile(
  { path, size, sha256 }: { readonly path: RelativePath; readonly size: number; readonly sha256: Sha256 },
  { isHeld, oid }: { readonly isHeld: boolean; readonly oid?: string | undefined },
): HubFile {
  const pointer = pointerText({ sha256, size });
  return { path, size, oid: oid ?? gitBlobId(pointer), lfs: { sha256, pointerSize: pointer.length }, isHeld, ...(isHeld && { sha256 }) };
}

/** The id of a file's content in its ETag and in the caches of clients, without quotes. */
export const etagOf = ({ oid, lfs }: Pick<HubFile, 'oid' | 'lfs'>): string => lfs?.sha256 ?? oid;
