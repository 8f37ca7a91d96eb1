import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { totalBytes } from '../catalog/manifest.ts';
import { kindsOfFiles } from '../catalog/selection/file-kind.ts';
import type { EnginePlan } from '../engines/contract.ts';
import { cloneFile } from '../transfer/clone-file.ts';
import type { Source } from './find-source.ts';

/** A larger file is not a text, a tokenizer, or a picture of a README. */
const maxBytes = 64 * 1024 * 1024;

/**
 * The files of a source that its variant also gets, in addition to the engine's output: README, licence, tokenizer, chat template; for
 * GGUF weights also the projector. Files that describe the weights themselves come from the engine. Pure.
 */
export function filesToCarry({ manifest }: Source, { isGguf }: Pick<EnginePlan, 'isGguf'>, made: ReadonlySet<string>): readonly string[] {
  const kinds = kindsOfFiles(manifest.files);
  const isWanted = (path: string, size: number): boolean => {
    const kind = kinds.get(path);
    if (kind === 'projector') return isGguf;
    return kind === 'plain' && size <= maxBytes && !/\.(?:toml|card\.json)$/.test(path);
  };
  return manifest.files.filter(({ path, size }) => !made.has(path) && isWanted(path, size)).map(({ path }) => path);
}

/** The size of those files. */
export function bytesToCarry(source: Source, plan: Pick<EnginePlan, 'isGguf'>): number {
  const paths = new Set(filesToCarry(source, plan, new Set()));
  return totalBytes(source.manifest.files.filter(({ path }) => paths.has(path)));
}

/** Copies files of a source to an engine's result; the disk shares blocks if it can. */
export async function carryOver(
  source: Source,
  { paths, to, signal }: { readonly paths: readonly string[]; readonly to: string; readonly signal: AbortSignal },
): Promise<void> {
  for (const path of paths) {
    await mkdir(dirname(join(to, path)), { recursive: true });
    await cloneFile(join(source.directory, path), join(to, path), { signal });
  }
}
