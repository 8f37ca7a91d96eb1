import type { Deps } from '../../connect/deps.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { isDirectory } from '../../kernel/files/is-there.ts';
import { formatRef } from '../../kernel/model-id.ts';
import { withPurge } from '../../node/suggest-purge.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import { incomingCopy } from '../../staging/layout.ts';
import type { LocalCopy } from '../../staging/local-copy.ts';
import { type FileSource, planStage, type StagePlan } from '../../staging/plan-stage.ts';
import { NoRoomError } from '../../transfer/disk-room.ts';
import { readJournal, readParts } from '../../transfer/part-journal.ts';
import { pieceKey } from '../../transfer/pieces.ts';
import type { StoreAnswer } from './ask/store-answer.ts';
import { measureSpaceFor, nameLoaded } from './describe-outcome.ts';
import { type ModelStage, neededModels, type StageOptions, type StageOutcome } from './model-stage.ts';
import type { PlannedModel, StagePlanReport } from './stage-report.ts';
import { selectWanted } from './wanted-part.ts';

/** Compares the wanted files with the existing copy, and with the data of an earlier try. */
export async function planCopy(
  { layout, options }: ModelStage,
  manifest: Manifest,
  local: Pick<LocalCopy, 'manifest' | 'changed'> | undefined,
): Promise<StagePlan> {
  const { files, journal: path } = incomingCopy(layout, manifest.model_id);
  // A journal without files was left by a process that died right after it had published the copy.
  const isUnfinished = !options.force && (await isDirectory(files));
  const journal = isUnfinished ? await readJournal(path) : new Set<string>();
  return planStage(manifest, { copy: local, journal });
}

/**
 * The report of `--dry-run` for a new copy.
 * @throws SkulkError STORE_NOT_CONFIGURED if there is no store
 */
export async function describePlan(
  stage: ModelStage,
  answer: Exclude<StoreAnswer, { state: 'current' }>,
  local: LocalCopy | undefined,
): Promise<StageOutcome> {
  const { ref, layout, path, options } = stage;
  if (answer.state === 'direct')
    throw new SkulkError('STORE_NOT_CONFIGURED', `no store answers, so it is unknown what would be copied of ${ref.modelId}`, {
      hint: 'without --dry-run it would be downloaded from Hugging Face',
    });
  if (answer.state === 'listed') return await (await import('./listed/plan-listed.ts')).describeListedPlan(stage, answer, local);
  const wanted = selectWanted(stage, answer.manifest, answer.pin);
  const plan = await planCopy(stage, wanted.manifest, local);
  const isClone = answer.canonical !== undefined;
  const begun = isClone ? new Map<string, number>() : await begunPieces(stage);
  const begunBytes = plan.files.reduce((sum, source) => sum + begunBytesOf(source, begun), 0);
  const { bytesStillToAllocate } = await import('../../staging/apply-stage.ts');
  // With --force, the data of an earlier try is removed first.
  const present = new Set<string>(options.force ? [] : plan.files.map(({ file }) => file.path));
  const needed = isClone ? 0 : await bytesStillToAllocate(plan, incomingCopy(layout, ref.modelId), present);
  return {
    companions: stage.card?.companions ?? answer.companions,
    files: wanted.manifest.files,
    group: wanted.group,
    planned: {
      model_id: ref.modelId,
      path,
      source: isClone ? 'clone' : 'store',
      ...nameLoaded(wanted.manifest.files, wanted.group),
      bytes_total: plan.bytesTotal,
      bytes_to_transfer: isClone ? 0 : plan.bytesToFetch - begunBytes,
      bytes_to_reuse: isClone ? plan.bytesTotal : plan.bytesToReuse + begunBytes,
      ...(await measureSpaceFor(layout.root, needed)),
      files: plan.files.map((source) => ({ path: source.file.path, size: source.file.size, action: actionOf(source, begun) })),
    },
  };
}

/** The report of `--dry-run` for all models: whether they fit on the disk together. */
export async function describePlans(deps: Deps, plans: readonly PlannedModel[], options: StageOptions): Promise<StagePlanReport> {
  const planned = shareRoom(plans);
  const needed = planned.filter(({ optional, bytes_to_allocate }) => optional !== true && bytes_to_allocate > 0);
  const [first] = needed;
  const missing = Math.max(...needed.map(({ bytes_missing }) => bytes_missing), 0);
  if (first === undefined || missing === 0) return { planned, no_space: null };
  const names = [...new Set(needed.map(({ model_id }) => model_id))];
  const room = new NoRoomError(deps.config.settings.nodeCachePath.value, {
    what: `staging ${names.join(', ')} needs`,
    bytes: first.free_bytes + missing,
    free: first.free_bytes,
  });
  const error = await withPurge(
    deps,
    room,
    neededModels({ modelId: first.model_id }, { ...options, beside: planned.map(({ model_id }) => model_id) }),
  );
  const { message, hint = null } = error instanceof SkulkError ? error : room;
  return { planned, no_space: { message, hint } };
}

/** Plans of models that are staged one after the other: each lacks also the room for those before it. */
function shareRoom(plans: readonly PlannedModel[]): readonly PlannedModel[] {
  const known = new Set<string>();
  let taken = 0;
  return plans.map((plan) => {
    const reference = formatRef({ modelId: plan.model_id, selector: plan.selector ?? undefined });
    const bytes = known.has(reference) ? 0 : plan.bytes_to_allocate;
    known.add(reference);
    const missing = bytes === 0 ? 0 : Math.max(0, taken + bytes - plan.free_bytes);
    if (plan.optional !== true || missing === 0) taken += bytes;
    return { ...plan, bytes_missing: missing };
  });
}

/** The number of existing bytes of unfinished pieces, by key. */
const begunPieces = async ({ layout, ref, options }: ModelStage): Promise<ReadonlyMap<string, number>> =>
  options.force ? new Map() : readParts(await readJournal(incomingCopy(layout, ref.modelId).journal));

function begunBytesOf(source: FileSource, begun: ReadonlyMap<string, number>): number {
  if (source.action === 'reuse') return 0;
  return source.fetch.reduce((sum, piece) => {
    const bytes = begun.get(pieceKey(piece)) ?? 0;
    // A part as large as its piece has failed its checksum, so it does not count.
    return bytes < piece.end - piece.start ? sum + bytes : sum;
  }, 0);
}

function actionOf(source: FileSource, begun: ReadonlyMap<string, number>): 'reuse' | 'resume' | 'fetch' {
  if (source.action === 'reuse') return 'reuse';
  return source.resumed.length + source.copied.length + begunBytesOf(source, begun) > 0 ? 'resume' : 'fetch';
}
