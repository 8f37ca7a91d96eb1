import { totalmem } from 'node:os';
import { defaultBpw, type Engine, type EnginePlan, type EngineSearch, type FoundEngine } from '../engines/contract.ts';
import { askWith, chooseEngine } from '../engines/engines.ts';
import type { OptimizeRequest, OptimizeWishes } from '../jobs/contract.ts';
import { isSameRecipe } from '../jobs/optimize-kind.ts';
import { SkulkError } from '../kernel/errors.ts';
import type { ModelId } from '../kernel/model-id.ts';
import { formatBytes } from '../kernel/units.ts';
import type { Manifest } from '../protocol/manifest.ts';
import type { LocalStore } from '../store/local-store.ts';
import { requireRoom } from '../transfer/disk-room.ts';
import { bytesToCarry } from './carry-over.ts';
import { findSource, requireUnchanged, type Source } from './find-source.ts';
import { baseNameOf, nameTarget } from './name-target.ts';

/** The complete plan of a variant. */
export interface PlannedVariant {
  readonly source: Source;
  readonly engine: Engine;
  readonly found: FoundEngine;
  readonly plan: EnginePlan;
  readonly request: OptimizeRequest;
}

/** The store's content under the id of a variant: nothing, the same variant, or another model. */
export type TargetState =
  | { readonly is: 'new' }
  | { readonly is: 'complete'; readonly manifest: Manifest; readonly storePath: string }
  | { readonly is: 'taken' };

/**
 * Decides which variant is made of which files, and by which engine. Does not write to the store.
 * @throws SkulkError CONFLICT if the source of a job was replaced since it was requested
 */
export async function planVariant(store: LocalStore, wishes: OptimizeWishes, where: EngineSearch): Promise<PlannedVariant> {
  const { modelId } = wishes;
  checkWishes(wishes);
  const source = await findSource(store, modelId, { digest: digestOf(wishes), signal: where.signal });
  const { manifest, directory } = source;
  const { engine, found } = await chooseEngine(manifest.files, { named: wishes.engine, of: modelId, where });
  const request = {
    ...wishes,
    type: engine.takesTypes ? wishes.type : typeOfNone(wishes),
    directory,
    files: manifest.files,
    baseName: baseNameOf(modelId),
  };
  const measured = await engine.plan(found, request, askWith(where));
  const plan = { ...measured, roomBytes: measured.roomBytes + bytesToCarry(source, measured) };
  await requireUnchanged(store, source, { paths: plan.sourceFiles, signal: where.signal });
  const targetId = wishes.targetId ?? nameTarget(modelId, plan);
  if (targetId.toLowerCase() === modelId.toLowerCase())
    throw new SkulkError('BAD_REQUEST', `the result cannot have the id of the source, ${modelId}`, {
      hint: 'choose another name with --as',
    });
  const targetBpw = wishes.targetBpw ?? (wishes.type === undefined ? defaultBpw : undefined);
  const decided = {
    engine: engine.name,
    type: plan.type,
    targetBpw,
    targetId,
    sourceDigest: manifest.digest,
    arguments: argumentsOf(plan, wishes),
  };
  return { source, engine, found, plan, request: { ...wishes, ...decided } };
}

/** A job, unlike a new wish, is for a certain content of its source. */
const digestOf = (wishes: OptimizeWishes | OptimizeRequest): string | undefined =>
  'sourceDigest' in wishes ? wishes.sourceDigest : undefined;

/** A resumed job contains a type, which an engine without types does not accept. */
const typeOfNone = (wishes: OptimizeWishes): string | undefined => ('sourceDigest' in wishes ? undefined : wishes.type);

/** The selected weights affect the result like the arguments do. */
const argumentsOf = (plan: EnginePlan, { selector }: OptimizeWishes): readonly string[] => [
  ...plan.arguments,
  ...(selector === undefined ? [] : [`of ${plan.sourceFiles[0]}`]),
];

function checkWishes({ targetBpw, candidateBits, threads }: OptimizeWishes): void {
  const refuse = (what: string, hint: string): never => {
    throw new SkulkError('BAD_REQUEST', what, { hint });
  };
  if (targetBpw !== undefined && !(targetBpw >= 1 && targetBpw <= 16)) refuse('the target must be 1 to 16 bits per weight', 'e.g. 4.5');
  if (candidateBits?.some((width) => !Number.isInteger(width) || width < 2 || width > 8) === true || candidateBits?.length === 0)
    refuse('candidate widths must be whole numbers from 2 to 8', 'e.g. 4,8');
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= 1024))
    refuse('threads must be a whole number from 1 to 1024', 'e.g. 4');
}

/** The share of the machine's memory that an engine may need. */
const memoryShare = 0.8;

/**
 * @param memoryMax the memory limit of an engine, in bytes, if there is one
 * @throws SkulkError NO_SPACE, CONFLICT if the machine has too little memory
 */
export async function requireMeans(
  store: LocalStore,
  { plan, request }: PlannedVariant,
  memoryMax = Number.POSITIVE_INFINITY,
): Promise<void> {
  await requireRoom(store.root, plan.roomBytes, `making ${request.targetId}`, { isStore: true });
  const memory = totalmem();
  if (plan.memoryBytes <= Math.min(memory * memoryShare, memoryMax)) return;
  const given =
    memoryMax < memory * memoryShare
      ? `SKULK_ENGINE_MEMORY_MAX allows ${formatBytes(memoryMax)}`
      : `this machine has ${formatBytes(memory)}`;
  throw new SkulkError(
    'CONFLICT',
    `making ${request.targetId} with ${request.engine} needs about ${formatBytes(plan.memoryBytes)} of memory; ${given}`,
    { hint: 'use another engine, or a machine with more memory' },
  );
}

/** The store's content under the id of the result. */
export async function inspectTarget(store: LocalStore, request: OptimizeRequest, signal: AbortSignal): Promise<TargetState> {
  const { targetId } = request;
  const entry = (await store.listModels()).find(({ model_id }) => model_id === targetId);
  if (entry === undefined) return { is: 'new' };
  const answer = await store.manifest(targetId, { signal });
  if (answer.state !== 'ready') return { is: 'taken' };
  const { manifest } = answer;
  return isMadeBy(manifest, request) ? { is: 'complete', manifest, storePath: entry.store_path } : { is: 'taken' };
}

/** @throws SkulkError CONFLICT if another model has the id and may not be replaced */
export function requireFree(state: TargetState, { targetId, force }: OptimizeRequest): void {
  if (state.is !== 'taken' || force === true) return;
  throw new SkulkError('CONFLICT', `the store already has another model named ${targetId}`, {
    hint: 'use --as to choose another name, or --force to replace it',
  });
}

function isMadeBy({ provenance }: Manifest, request: OptimizeRequest): boolean {
  if (provenance === undefined || provenance.source_digest !== request.sourceDigest) return false;
  const { engine, arguments: args, source_model } = provenance;
  return isSameRecipe(request, { modelId: source_model as ModelId, engine: engine as OptimizeRequest['engine'], arguments: args });
}
