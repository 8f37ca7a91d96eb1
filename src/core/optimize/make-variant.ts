import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { totalBytes } from '../catalog/manifest.ts';
import { checkOutput } from '../engines/check-output.ts';
import type { EngineSearch } from '../engines/contract.ts';
import { memoryLimitOf } from '../engines/memory-limit.ts';
import { runEngine } from '../engines/run-engine.ts';
import { type Clock, machineClock, watchSilence } from '../engines/watch-silence.ts';
import type { OptimizeRequest } from '../jobs/contract.ts';
import type { JobContext } from '../jobs/job-kind.ts';
import type { JobProgress } from '../jobs/job-state.ts';
import type { OptimizeDetails } from '../jobs/optimize-kind.ts';
import { SkulkError } from '../kernel/errors.ts';
import { explainSystemError } from '../kernel/explain-system-error.ts';
import { formatBytes } from '../kernel/units.ts';
import type { World } from '../kernel/world.ts';
import type { Provenance } from '../protocol/manifest.ts';
import { stagingLayout } from '../staging/layout.ts';
import { takeLease } from '../staging/leases/take-lease.ts';
import { hashModel } from '../store/ingest/hash-model.ts';
import { scanDirectory } from '../store/ingest/scan-directory.ts';
import { storeLayout } from '../store/layout.ts';
import type { LocalStore } from '../store/local-store.ts';
import { diskRoom } from '../transfer/disk-room.ts';
import { syncFile } from '../transfer/sync-file.ts';
import { carryOver, filesToCarry } from './carry-over.ts';
import { bytesBelow, type EnginePlace, takePlace } from './engine-place.ts';
import { requireUnchanged } from './find-source.ts';
import { inspectTarget, type PlannedVariant, planVariant, requireFree, requireMeans, type TargetState } from './plan-variant.ts';
import { writeVariantCard } from './variant-card.ts';

type Context = JobContext<OptimizeDetails>;

/** The input for making a variant beside its job. */
interface MakingWith {
  readonly store: LocalStore;
  readonly world: World;
  readonly where: EngineSearch;
  /** Measures an engine's silence. */
  readonly clock?: Clock | undefined;
}

/** A disk with less space than this is full, whatever an engine reports. */
const fullBytes = 64 * 1024 * 1024;

/**
 * Makes a variant and publishes it. The source is not changed, and the store gets the variant only after it is complete and checked. The
 * data of an interrupted run is reused if the engine can.
 */
export async function makeVariant(
  request: OptimizeRequest,
  context: Context,
  { store, world, where, clock = machineClock }: MakingWith,
): Promise<JobProgress<OptimizeDetails>> {
  const { signal, report } = context;
  report({ phase: 'analyzing', details: { message: 'reading the source model' } });
  await using place = await takePlace(storeLayout(store.root), request.targetId, signal);
  try {
    // An earlier process may have published it without recording that.
    const state = await inspectTarget(store, request, signal);
    if (state.is === 'complete') {
      await place.clear();
      return resultOf(store, request, state);
    }
    // A deletion or a replacement of the source waits for it.
    const { modelId } = request;
    await using _lease = await takeLease(stagingLayout(store.root), {
      modelId,
      purpose: `making ${request.targetId}`,
      now: world.now(),
      signal,
    });
    const variant = await planVariant(store, request, where);
    await requireMeans(store, variant, memoryLimitOf(where)?.bytes);
    const progress = await runAndPublish({ ...variant, request }, { context, place, store, world, where, clock });
    await place.clear();
    return progress;
  } catch (error) {
    // After an interruption, the next process continues. After a failure, data is kept if making it took hours.
    const isStopped = signal.aborted && signal.reason instanceof SkulkError && signal.reason.code === 'CANCELLED';
    if (isStopped || (!signal.aborted && request.engine !== 'optiq')) await place.clear().catch(() => undefined);
    throw explainSystemError(error, `cannot make ${request.targetId} in ${store.root} on the store host ${world.hostname}`);
  }
}

/** The details of a variant in the store. */
export function resultOf(
  store: LocalStore,
  { targetId }: OptimizeRequest,
  { manifest, storePath }: Extract<TargetState, { is: 'complete' }>,
): { readonly details: Partial<OptimizeDetails> } {
  const { provenance, files } = manifest;
  return {
    details: {
      message: `${targetId} is in the store`,
      fraction: null,
      engineVersion: provenance?.engine_version ?? null,
      bits: provenance?.achieved_bpw ?? null,
      resultBytes: totalBytes(files),
      resultPath: join(store.root, storePath),
    },
  };
}

interface Making extends MakingWith {
  readonly clock: Clock;
  readonly context: Context;
  readonly place: EnginePlace;
}

async function runAndPublish(variant: PlannedVariant, making: Making): Promise<JobProgress<OptimizeDetails>> {
  const { engine, plan, source, request } = variant;
  const { context, store, world } = making;
  const { signal, report } = context;
  const begun = performance.now();
  const { work, bits: saidBits, warnings } = await runToEnd(variant, making);
  const { directory, bits = saidBits } = await engine.collect({ work });
  const { files: made } = await scanDirectory(directory);
  await checkOutput(made, { engine, plan, bits, signal });
  report({ details: { message: 'checking and publishing the result', fraction: null } });
  await requireUnchanged(store, source, { paths: plan.sourceFiles, signal });
  const paths = filesToCarry(source, plan, new Set(made.map(({ path }) => path)));
  await requireUnchanged(store, source, { paths, signal });
  await carryOver(source, { paths, to: directory, signal });
  const card = await store.cardOf(request.modelId);
  if (card !== undefined) await writeVariantCard(directory, card, { targetId: request.targetId, plan, bytes: totalBytes(made) });
  const { files: all } = await scanDirectory(directory);
  for (const { absolute } of all) await syncFile(absolute);
  const { files } = await hashModel(all, { signal });
  requireFree(await inspectTarget(store, request, signal), request);
  await making.place.assertHeld();
  const provenance: Provenance = {
    engine: engine.name,
    engine_version: variant.found.version,
    arguments: request.arguments,
    source_model: request.modelId,
    source_digest: source.manifest.digest,
    source_files: plan.sourceFiles.slice(0, 1000),
    source_commit: source.manifest.commit,
    target_bpw: request.targetBpw ?? null,
    achieved_bpw: bits ?? null,
    seconds: Math.round((performance.now() - begun) / 1000),
    host: world.hostname,
  };
  const { entry } = await store.publish(
    { modelId: request.targetId, from: directory, files, origin: { source: 'optimized', provenance } },
    { signal },
  );
  const details = {
    message: `${request.targetId} is in the store`,
    fraction: null,
    resultPath: join(store.root, entry.store_path),
    bits: bits ?? null,
    resultBytes: entry.total_bytes,
    warnings,
  };
  return { bytesTotal: plan.sourceBytes, bytesDone: plan.sourceBytes, details };
}

/** Runs the engine, and reports its progress. */
async function runToEnd(
  { engine, found, plan, source, request }: PlannedVariant,
  { context, place, where, world, clock }: Making,
): Promise<{ readonly work: string; readonly bits: number | undefined; readonly warnings: readonly string[] }> {
  const { signal, report } = context;
  const key = keyOf([source.manifest.digest, engine.name, found.version ?? '', found.program, ...request.arguments]);
  const work = await place.enter(key);
  const run = { work, threads: request.threads ?? Math.max(1, Math.floor(availableParallelism() / 2)) };
  await engine.prepare(run, plan);
  let done = 0;
  let bits: number | undefined;
  const warnings = [...plan.warnings];
  const details = { engineVersion: found.version, resultBytes: plan.bytes, warnings };
  report({ phase: 'converting', bytesTotal: plan.sourceBytes, bytesDone: 0, details: { ...details, message: `starting ${engine.name}` } });
  await context.save();
  using silence = watchSilence(clock, {
    sizeOf: () => bytesBelow(work),
    onSilence: (minutes) => {
      const message = `no output for ${minutes} minutes; ${engine.name} may still be working`;
      report({ details: { message } });
      world.emit({ type: 'warning', message: `making ${request.targetId}: ${message}` });
    },
  });
  const onLine = (line: string): void => {
    silence.noteActivity();
    const news = engine.read(line);
    if (news?.is === 'bytes') {
      done += news.bytes;
      report({ bytesDone: done, details: { message: news.message } });
    } else if (news?.is === 'phase') {
      const phase = engine.name === 'optiq' ? 'optimizing' : 'converting';
      report({ phase, details: { message: news.message, fraction: news.fraction ?? null } });
    } else if (news?.is === 'bits') bits = news.bits;
    else if (news?.is === 'warning' && warnings.length < 20) {
      warnings.push(news.message);
      report({ details: { warnings: [...warnings] } });
    }
  };
  // However it ends, all of its processes have ended then.
  const { status, lines } = await runEngine({
    program: found.program,
    args: engine.command(plan, run),
    work,
    where,
    signal,
    memoryLimit: memoryLimitOf(where),
    onLine,
    onStart: place.recordEngine,
  }).finally(place.forgetEngine);
  if (status === 0) return { work, bits, warnings };
  const { free } = await diskRoom(work);
  if (free < fullBytes)
    throw new SkulkError(
      'NO_SPACE',
      `the disk of the store is full (${formatBytes(free)} free); ${engine.name} could not finish ${request.targetId}`,
      {
        hint: 'free some space, then run `skulk optimize` again',
      },
    );
  const { code, reason, hint } = engine.explain(lines, status);
  // The command may run on another machine, where the paths in the reason do not exist.
  const made = `${request.targetId} from ${request.modelId} on the store host ${world.hostname}`;
  throw new SkulkError(code, `${engine.name} could not make ${made}: ${reason}`, { hint });
}

/** Twelve digits of a digest of everything that affects the result. */
const keyOf = (parts: readonly string[]): string => createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 12);
