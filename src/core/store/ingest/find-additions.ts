import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { mapConcurrently, maxOpenFiles } from '../../kernel/flow/concurrency.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import { readFingerprint, untouchedBetween } from '../../transfer/fingerprint.ts';

/**
 * The files that are only added to a model, e.g. another quantization, so that existing ones need not be changed.
 * @param place the model's directory
 * @param files the new content; each unchanged file must be hard-linked to the existing one
 * @returns undefined if an existing file changes or disappears
 */
export async function findAdditions(
  place: string,
  { before, manifest, files }: { readonly before: Manifest; readonly manifest: Manifest; readonly files: string },
): Promise<readonly string[] | undefined> {
  const next = new Map(manifest.files.map((file) => [file.path, file]));
  if (!before.files.every(({ path, size, sha256 }) => next.get(path)?.sha256 === sha256 && next.get(path)?.size === size)) return undefined;
  const info = await lstat(place).catch(() => undefined);
  if (info?.isDirectory() !== true) return undefined;
  const isSame = await mapConcurrently(before.files, maxOpenFiles, async ({ path }) =>
    untouchedBetween(await readFingerprint(join(place, path)), await readFingerprint(join(files, path))),
  );
  if (isSame.includes(false)) return undefined;
  const kept = new Set<string>(before.files.map(({ path }) => path));
  return manifest.files.flatMap(({ path }) => (kept.has(path) ? [] : [path]));
}
