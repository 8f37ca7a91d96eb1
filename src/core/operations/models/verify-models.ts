import type { Deps } from '../../connect/deps.ts';
import { openStore } from '../../connect/open-store.ts';
import { formatRef, type ModelRef, withoutRepeats } from '../../kernel/model-id.ts';
import { reportRemoval } from '../../node/catch-up.ts';
import type { VerifiedModel, VerifyReport } from '../../protocol/models/verify-report.ts';
import { stagingLayout } from '../../staging/layout.ts';
import { listCopies } from '../../staging/list-copies.ts';
import { verifyCopy } from '../../staging/verify-copy.ts';
import { type NamedCopy, requireStaged } from '../nodes/require-staged.ts';
import { logUnserved } from '../store/log-change.ts';

/**
 * Hashes models again and compares: the canonical copies, or with `staging` this node's copies. `repair` fixes what needs no source: the
 * store's indexes. In a staged copy, it removes damaged quantizations, which the next stage fetches again.
 * @throws SkulkError MODEL_NOT_FOUND, FILE_NOT_FOUND, REVISION_NOT_FOUND
 */
export async function verifyModels(
  deps: Deps,
  { refs, staging, repair }: { readonly refs: readonly ModelRef[]; readonly staging: boolean; readonly repair: boolean },
): Promise<VerifyReport> {
  const { world } = deps;
  const [only] = refs;
  const subject = refs.length === 1 && only !== undefined ? formatRef(only) : staging ? 'the staged copies' : 'the store';
  const onBytes = (bytesDone: number, bytesTotal: number): void =>
    world.emit({ type: 'progress', doing: 'verifying', subject, bytesDone, bytesTotal });
  if (staging) return verifyStaging(deps, refs, repair, onBytes);
  await using opened = await openStore(deps);
  const work = () => opened.store.verify({ refs, repair }, { signal: world.signal, onBytes });
  if (!repair) return await work();
  const change = {
    action: 'verify',
    model_id: refs.length === 1 ? (only?.modelId ?? null) : null,
    selector: only?.selector ?? null,
  } as const;
  return await logUnserved(deps, opened, change, work);
}

async function verifyStaging(
  deps: Deps,
  refs: readonly ModelRef[],
  repair: boolean,
  onBytes: (done: number, total: number) => void,
): Promise<VerifyReport> {
  const { world, config } = deps;
  const { nodeCachePath, storePath } = config.settings;
  const layout = stagingLayout(nodeCachePath.value);
  const { copies } = await listCopies(layout);
  const named = await Promise.all(withoutRepeats(refs).map((ref) => requireStaged(copies, ref)));
  const chosen: readonly NamedCopy[] = refs.length === 0 ? copies.map((copy) => ({ copy, part: undefined })) : named;
  const sizeOf = ({ copy, part }: NamedCopy): number => (part ?? copy).sizeBytes;
  const total = chosen.reduce((sum, one) => sum + sizeOf(one), 0);
  let before = 0;
  const models: VerifiedModel[] = [];
  for (const one of chosen) {
    const at = before;
    models.push(
      await verifyCopy(layout, one.copy, {
        selector: one.part?.selector ?? undefined,
        repair,
        storePath: storePath.value,
        signal: world.signal,
        now: world.now,
        onBytes: (done) => onBytes(Math.min(total, at + done), total),
      }),
    );
    before += sizeOf(one);
  }
  if (repair && models.some(({ status }) => status !== 'ok')) await reportRemoval(deps);
  return { ok: models.every(({ status }) => status === 'ok' || status === 'repaired'), models };
}
