import type { ManifestFile, SideKind } from '../protocol/manifest.ts';
import { kindOf, kindsOf } from './selection/file-kind.ts';

/**
 * Marks the drafts, adapters and the like of a repo that has weights beside them. A store may hold such a file without the weights; the
 * mark keeps it from being used as weights then. Pure.
 * @param listing all files of the repo, also those that the store does not have
 */
export function withSideKinds<F extends ManifestFile>(files: readonly F[], listing: readonly { readonly path: string }[]): readonly F[] {
  if (!files.some(({ path }) => isSideKind(kindOf(path)))) return files;
  const kinds = kindsOf(listing.map(({ path }) => path));
  return files.map((file) => {
    const kind = kindOf(file.path);
    if (!isSideKind(kind)) return file;
    const { gguf_kind: _, ...rest } = file;
    return (kinds.get(file.path) === kind ? { ...rest, gguf_kind: kind } : rest) as F;
  });
}

/** The marked files of a manifest, with their kinds. Pure. */
export const sideKindsOf = (files: readonly Pick<ManifestFile, 'path' | 'gguf_kind'>[]): ReadonlyMap<string, SideKind> =>
  new Map(files.flatMap(({ path, gguf_kind }) => (gguf_kind === undefined ? [] : [[path, gguf_kind]])));

/** Whether a kind by name is that of a GGUF file beside the weights, other than a projector. */
export const isSideKind = (kind: string | undefined): kind is Exclude<SideKind, 'projector'> =>
  kind === 'draft' || kind === 'adapter' || kind === 'vocabulary' || kind === 'imatrix';
