import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { totalBytes, withoutFiles } from '../../catalog/manifest.ts';
import { planRemoval } from '../../catalog/selection/plan-removal.ts';
import { selectionError } from '../../catalog/selection/selection-error.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { mapConcurrently, maxOpenFiles } from '../../kernel/flow/concurrency.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { QuantizationRemoval } from '../local-store.ts';
import { noModel } from '../no-model.ts';
import type { StoreContext } from '../store-context.ts';
import { deleteModel, refuseSharedDirectory } from './delete-model.ts';

/** Called after the files are gone, before anything else is changed; without files after the whole model is gone. */
export type OnRemoved = (files?: ReadonlySet<string>) => void;

/**
 * Lists what is removed with one quantization.
 * @throws SkulkError MODEL_NOT_FOUND; FILE_NOT_FOUND with the existing quantizations
 */
export async function planQuantizationRemoval(
  modelId: ModelId,
  selector: string,
  { layout, registry, records }: Pick<StoreContext, 'layout' | 'registry' | 'records'>,
): Promise<QuantizationRemoval> {
  const entry = (await registry()).entries.get(modelId);
  if (entry === undefined) throw noModel(modelId);
  const known = await records.read(modelId).catch(undefinedIfDamaged);
  const planned = planRemoval(known?.manifest.files ?? entry.files.map((path) => ({ path, size: 0 })), selector);
  if ('problem' in planned) throw selectionError(planned.problem, { modelId, where: 'in the store' });
  const { group, isLast } = planned;
  const files = group.files.map(({ path }) => path);
  const sizes = await mapConcurrently(files, maxOpenFiles, (path) => sizeOf(join(layout.root, entry.store_path, path)));
  const bytes = isLast ? entry.total_bytes : sizes.reduce((sum, size) => sum + size, 0);
  return { selector: group.selector, files, bytes, isLast };
}

/**
 * Decides to remove one quantization of a model, and removes it. Without any quantization left, the model is deleted.
 * @param isLast the result of `planQuantizationRemoval` that the caller relies on
 * @returns the number of its bytes
 * @throws SkulkError MODEL_NOT_FOUND, FILE_NOT_FOUND; CONFLICT while it is in use here, without `force`, and if another quantization was
 * added or removed in the meantime
 */
export async function deleteQuantization(
  modelId: ModelId,
  { selector, isLast, force, onRemoved }: { selector: string; isLast: boolean; force: boolean; onRemoved: OnRemoved },
  context: StoreContext,
): Promise<{ readonly freedBytes: number }> {
  const { writer, registry, records, whenUnused, layout } = context;
  const before = await planQuantizationRemoval(modelId, selector, context);
  const refuseIfChanged = (now: QuantizationRemoval): void => {
    if (now.isLast === isLast && now.selector === before.selector) return;
    throw new SkulkError('CONFLICT', `the quantizations of ${modelId} changed during the command, so nothing was deleted`, {
      hint: 'check them with `skulk show`, then run the command again',
    });
  };
  refuseIfChanged(before);
  if (isLast) {
    const mayGo = async (): Promise<void> => refuseIfChanged(await planQuantizationRemoval(modelId, selector, context));
    return deleteModel(modelId, { force, onRemoved, mayGo }, context);
  }
  return writer.write(async () => {
    const { entries } = await registry();
    const now = await planQuantizationRemoval(modelId, selector, context).catch((error: unknown) => {
      if (error instanceof SkulkError && (error.code === 'FILE_NOT_FOUND' || error.code === 'MODEL_NOT_FOUND')) return undefined;
      throw error;
    });
    // An earlier removal was interrupted, e.g. by a full disk, and has just been finished.
    if (now === undefined) return { freedBytes: before.bytes };
    refuseIfChanged(now);
    const entry = entries.get(modelId);
    if (entry === undefined) throw noModel(modelId);
    refuseSharedDirectory(entry, entries.values());
    await refuseLink(modelId, join(layout.root, entry.store_path));
    const gone = new Set(now.files);
    const known = await records.read(modelId).catch(undefinedIfDamaged);
    const manifest = known === undefined ? null : withoutFiles(known.manifest, gone);
    const work = async (): Promise<void> =>
      writer.carryOut({
        op: 'remove-quantization',
        modelId,
        storePath: entry.store_path,
        files: now.files,
        entry: {
          ...entry,
          files: entry.files.filter((path) => !gone.has(path)),
          total_bytes: manifest === null ? Math.max(0, entry.total_bytes - now.bytes) : totalBytes(manifest.files),
        },
        manifest,
        upstream: await records.upstream(modelId).catch(undefinedIfDamaged),
        seen: Object.fromEntries(Object.entries(known?.seen ?? {}).filter(([path]) => !gone.has(path))),
      });
    await (force ? work() : whenUnused(modelId, work, now));
    onRemoved(gone);
    return { freedBytes: now.bytes };
  });
}

/** A damaged manifest is dropped. After an error of the disk nobody knows whether it is damaged, so nothing is changed. */
function undefinedIfDamaged(error: unknown): undefined {
  if (!(error instanceof SkulkError)) throw error;
}

/** If the directory is a link, only the link belongs to the store. */
async function refuseLink(modelId: ModelId, place: string): Promise<void> {
  const info = await lstat(place).catch(() => undefined);
  if (info?.isSymbolicLink() === true)
    throw new SkulkError('CONFLICT', `${place} is a link, so no part of ${modelId} can be removed`, {
      hint: `\`skulk delete ${modelId}\` removes the link; remove the files where they are`,
    });
}

const sizeOf = (path: string): Promise<number> =>
  lstat(path).then(
    (info) => (info.isFile() ? info.size : 0),
    () => 0,
  );
