import type { Deps } from '../../connect/deps.ts';
import { openStore } from '../../connect/open-store.ts';
import { SkulkError } from '../../kernel/errors.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { VerifiedModel, VerifyReport } from '../../protocol/models.ts';
import { stagingLayout } from '../../staging/layout.ts';
import { listCopies } from '../../staging/list-copies.ts';
import { verifyCopy } from '../../staging/verify-copy.ts';

/**
 * Hashes again and compares: the canonical copies, or with `staging` this node's copies. With `repair` what can be mended
 * without a source is: indexes in the store; a damaged staged copy is removed, as the next stage brings it back.
 * @throws SkulkError MODEL_NOT_FOUND
 */
export async function verifyModels(
  deps: Deps,
  { modelIds, staging, repair }: { readonly modelIds: readonly ModelId[]; readonly staging: boolean; readonly repair: boolean },
): Promise<VerifyReport> {
  const { world } = deps;
  const subject = modelIds.length === 1 ? (modelIds[0] ?? '') : staging ? 'the staged copies' : 'the store';
  const onBytes = (bytesDone: number, bytesTotal: number): void =>
    world.emit({ type: 'progress', doing: 'verifying', subject, bytesDone, bytesTotal });
  if (staging) return verifyStaging(deps, modelIds, repair, onBytes);
  await using opened = await openStore(deps);
  return await opened.store.verify({ modelIds, repair }, { signal: world.signal, onBytes });
}

async function verifyStaging(
  { world, config }: Deps,
  modelIds: readonly ModelId[],
  repair: boolean,
  onBytes: (done: number, total: number) => void,
): Promise<VerifyReport> {
  const { nodeCachePath, storePath } = config.settings;
  const layout = stagingLayout(nodeCachePath.value);
  const { copies } = await listCopies(layout);
  for (const id of modelIds) {
    if (!copies.some((copy) => copy.modelId === id))
      throw new SkulkError('MODEL_NOT_FOUND', `${id} is not staged on this node`, { hint: '`skulk staging` lists what is' });
  }
  const chosen = copies.filter(({ modelId }) => modelIds.length === 0 || modelIds.includes(modelId));
  const total = chosen.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let before = 0;
  const models: VerifiedModel[] = [];
  for (const copy of chosen) {
    const at = before;
    models.push(
      await verifyCopy(layout, copy, {
        repair,
        storePath: storePath.value,
        signal: world.signal,
        now: world.now,
        onBytes: (done) => onBytes(Math.min(total, at + done), total),
      }),
    );
    before += copy.sizeBytes;
  }
  return { ok: models.every(({ status }) => status === 'ok' || status === 'repaired'), models };
}
