import type { KindFile } from '../../catalog/selection/file-kind.ts';
import type { Deps } from '../../connect/deps.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { explainingDiskErrors } from '../../kernel/explain-system-error.ts';
import type { ModelRef } from '../../kernel/model-id.ts';
import { findProgram, isInForeground, type ProgramOutput, sentByTerminal, startProgram } from '../../kernel/process/child-program.ts';
import { identifySelf, locate } from '../../kernel/process/process-identity.ts';
import { catchUp, reportUse } from '../../node/catch-up.ts';
import { type GroupFiles, isSameGroup } from '../../staging/groups/copy-groups.ts';
import { runPurpose } from '../../staging/leases/holders.ts';
import type { HeldLease } from '../../staging/leases/take-lease.ts';
import { stayWithinBudget } from '../nodes/stay-within-budget.ts';
import { markUsed } from './mark-used.ts';
import { fillIn, findNeeds, findValues } from './program-arguments.ts';
import { leaseFor, stageOptions, stageWithCompanions } from './stage.ts';
import type { StagedModel } from './stage-report.ts';

/** The input of `skulk run`. */
export interface RunRequest {
  readonly ref: ModelRef;
  /** The program and its arguments, in which `fillIn` replaces placeholders. */
  readonly command: readonly string[];
  readonly offline: boolean;
  /** Use Hugging Face if the store is unreachable. */
  readonly direct?: boolean | undefined;
  /** Bytes per second, for all connections in total. */
  readonly limitRate?: number | undefined;
  /** Take it only from the store, and do not share it with other nodes. */
  readonly noSwarm?: boolean | undefined;
  /** If absent, this process's own streams. */
  readonly output?: ProgramOutput | undefined;
  /** Calls the listener with each signal that this process gets, until the returned function is called. */
  readonly takeSignals: (listener: (signal: NodeJS.Signals) => void) => () => void;
}

/**
 * Stages a model, runs a program while the copy is in use, then applies the budget.
 * @returns the program's exit status, 128 + n after a signal
 * @throws SkulkError COMMAND_NOT_FOUND, COMMAND_NOT_EXECUTABLE before anything is staged; FILE_NOT_FOUND before anything is transferred
 * if the model lacks a file that an argument uses; those of staging
 */
export async function runModel(deps: Deps, request: RunRequest): Promise<{ readonly status: number }> {
  const { world } = deps;
  const { ref } = request;
  const program = findProgram(request.command[0] ?? '', world);
  if (!request.offline) await catchUp(deps, { full: false });
  const { offline, direct, limitRate, noSwarm } = request;
  const needs = findNeeds(request.command.slice(1));
  const options = stageOptions({ dryRun: false, force: false, offline, direct, limitRate, noSwarm, needs });
  const { nodeCachePath } = deps.config.settings;
  const lease = await explainingDiskErrors(`cannot take a lease in ${nodeCachePath.value}`, () => leaseFor(deps, ref, request, runPurpose));
  let status: number;
  try {
    const outcome = await stageWithCompanions(deps, ref, options, lease);
    if (!('staged' in outcome)) throw new Error('a stage without --dry-run only planned');
    const { gguf_file, problems } = outcome.staged;
    if (gguf_file !== null && problems === undefined)
      world.emit({ type: 'note', message: `${ref.modelId}: the file to load is ${gguf_file}` });
    status = await runProgram(deps, { ...request, ...outcome, program }, lease);
  } finally {
    await lease?.release();
  }
  await tidyUp(deps, request);
  // Orders that were postponed while the program ran.
  if (!request.offline) await catchUp(deps, { full: true });
  return { status };
}

async function runProgram(
  deps: Deps,
  {
    ref,
    command,
    offline,
    program,
    staged,
    files,
    group,
    output,
    takeSignals,
  }: RunRequest & {
    readonly program: string;
    readonly staged: StagedModel;
    readonly files: readonly KindFile[];
    readonly group: GroupFiles;
  },
  lease: HeldLease | undefined,
): Promise<number> {
  const { world } = deps;
  const { path } = staged;
  const values = findValues(staged, files);
  const args = command.slice(1).map((text) => fillIn(text, values, ref));
  const env: NodeJS.ProcessEnv = { ...world.env, SKULK_MODEL_PATH: path, SKULK_MODEL_ID: ref.modelId };
  for (const [name, file] of [
    ['SKULK_GGUF_FILE', values.gguf],
    ['SKULK_MMPROJ_FILE', values.mmproj],
  ] as const)
    if (file === undefined) delete env[name];
    else env[name] = file;
  if (world.signal.aborted) throw world.signal.reason;
  const child = await startProgram(program, args, { env, cwd: world.cwd, output });
  const releaseSignals = takeSignals((signal) => {
    if (!sentByTerminal.has(signal) || !isInForeground()) child.kill(signal);
  });
  let reporting: Promise<void> | undefined;
  try {
    // If this process is killed, the program continues, so the lease must too.
    if (child.identity !== undefined) await lease?.handTo([locate(child.identity), await identifySelf()]);
    lease?.lost.addEventListener('abort', () =>
      world.emit({
        type: 'warning',
        message: `this process was suspended for too long, so ${ref.modelId} no longer counts as in use`,
        hint: 'the copy may be evicted while the program runs; restart the program to be safe',
      }),
    );
    child.proceed();
    // The program may run for weeks, so the store must know of the copy now. The program does not wait for that.
    if (!offline) reporting = reportUse(deps).catch(() => undefined);
    const status = await child.status;
    if (staged.source === 'in-place') return status;
    await markUsed(deps, ref.modelId, (one) => isSameGroup(one, group));
    for (const { model_id } of staged.companions ?? []) await markUsed(deps, model_id, () => true);
    return status;
  } finally {
    releaseSignals();
    // The report at the end must come last.
    await reporting;
  }
}

/** The program's status is the result. Errors after that are only reported. */
async function tidyUp(deps: Deps, { offline }: Pick<RunRequest, 'offline'>): Promise<void> {
  try {
    const { failed } = await stayWithinBudget(deps, { dryRun: false, offline });
    for (const { message, hint } of failed) deps.world.emit({ type: 'warning', message, hint });
  } catch (error) {
    if (!(error instanceof SkulkError)) throw error;
    deps.world.emit({ type: 'warning', message: `the budget was not applied: ${error.message}`, hint: error.hint });
  }
}
