import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { checkRevision } from '../catalog/check-revision.ts';
import { describeProblem, findContentProblems } from '../catalog/contents/find-content-problems.ts';
import { totalBytes } from '../catalog/manifest.ts';
import { findPart } from '../catalog/selection/find-part.ts';
import { isProjector } from '../catalog/selection/projectors.ts';
import { selectionError } from '../catalog/selection/selection-error.ts';
import { SkulkError, systemCode } from '../kernel/errors.ts';
import { describeFailure, reasonOf } from '../kernel/explain-system-error.ts';
import { mapConcurrently, maxOpenFiles } from '../kernel/flow/concurrency.ts';
import { directoryName, type ModelId, type ModelRef, modelIdOfDirectory, withoutRepeats } from '../kernel/model-id.ts';
import { noSuchModel } from '../kernel/no-such-model.ts';
import type { Manifest } from '../protocol/manifest.ts';
import type { RegistryEntry } from '../protocol/models/entries.ts';
import type { BadFile, VerifiedModel, VerifyReport } from '../protocol/models/verify-report.ts';
import { readFingerprint } from '../transfer/fingerprint.ts';
import { checkFiles } from './check-files.ts';
import type { WorkOptions } from './contract.ts';
import { isDirectoryInside } from './disk/inside-store.ts';
import type { Seen } from './ingest/seen.ts';
import type { StoreContext } from './store-context.ts';

/** A single one for all comparisons. */
const collator = new Intl.Collator('en');

/** The part of a registered model that is verified. */
interface Target {
  readonly entry: RegistryEntry;
  /** The quantization, as named by the model's files; undefined for the whole model. */
  readonly part: { readonly selector: string; readonly paths: ReadonlySet<string> } | undefined;
  readonly sizeBytes: number;
}

/**
 * Hashes models, or quantizations of them, again and compares them with their manifests. `repair` recreates a manifest from the files, or
 * a registry entry from a manifest with matching files. It never changes a model's files.
 * @throws SkulkError MODEL_NOT_FOUND for an unknown model, FILE_NOT_FOUND for an unknown quantization, REVISION_NOT_FOUND
 */
export async function verifyStore(
  { refs, repair }: { readonly refs: readonly ModelRef[]; readonly repair: boolean },
  options: WorkOptions,
  context: StoreContext,
): Promise<VerifyReport> {
  // First finish interrupted changes. A read-only store can still be verified.
  await context.writer
    .write(async () => {})
    .catch((error: unknown) => {
      if (repair || options.signal.aborted) throw error;
      context.world.emit({
        type: 'warning',
        message: describeFailure('nothing was repaired or recorded', error),
      });
    });
  const { entries, unusable } = await context.registry();
  const unregistered = await findUnregistered(context, new Set(entries.values().map(({ store_path }) => store_path)));
  for (const { modelId } of refs) {
    if (!entries.has(modelId) && !unregistered.includes(modelId)) throw noSuchModel(modelId, 'in the store', entries.keys());
  }
  const named = Map.groupBy(withoutRepeats(refs), ({ modelId }) => modelId);
  const wanted = (id: ModelId): boolean => refs.length === 0 || named.has(id);
  // Report a wrong name before anything is hashed.
  const targets: Target[] = [];
  for (const entry of entries.values())
    for (const ref of refs.length === 0 ? [{ modelId: entry.model_id }] : (named.get(entry.model_id) ?? []))
      targets.push(await findTarget(entry, ref, context));
  const total = targets.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let before = 0;
  const models: VerifiedModel[] = [];
  for (const target of targets) {
    const step: WorkOptions = { signal: options.signal, onBytes: (done) => options.onBytes?.(Math.min(before + done, total), total) };
    const { model_id, ...found } = await verifyModel(target, repair, step, context).catch((error: unknown) => {
      options.signal.throwIfAborted();
      return unreadable(target, error);
    });
    models.push({ model_id, ...(target.part !== undefined && { selector: target.part.selector }), ...found });
    before += target.sizeBytes;
  }
  for (const { key, why } of refs.length === 0 ? unusable : []) {
    models.push({
      model_id: key,
      status: 'damaged',
      bad_files: [],
      note: `its entry in ${context.layout.registry} cannot be used: ${why}; correct or remove it there`,
    });
  }
  for (const id of unregistered.filter(wanted)) models.push(await verifyUnregistered(id, repair, options, context));
  return {
    ok: models.every(
      ({ status, bad_files }) => status === 'ok' || status === 'repaired' || (status === 'unregistered' && bad_files.length === 0),
    ),
    // In the order of `skulk registry`.
    models: models.toSorted((a, b) => collator.compare(a.model_id, b.model_id)),
  };
}

async function findTarget(entry: RegistryEntry, ref: ModelRef, { records }: StoreContext): Promise<Target> {
  const { modelId, selector, revision } = ref;
  if (selector === undefined && revision === undefined) return { entry, part: undefined, sizeBytes: entry.total_bytes };
  const known = await records.read(modelId).catch(() => undefined);
  if (known !== undefined) checkRevision(ref, known.manifest);
  if (selector === undefined) return { entry, part: undefined, sizeBytes: entry.total_bytes };
  const part = findPart(known?.manifest.files ?? entry.files.map((path) => ({ path, size: 0 })), selector);
  if ('problem' in part) throw selectionError(part.problem, { modelId, where: 'in the store' });
  return {
    entry,
    part: { selector: part.selector, paths: new Set(part.files.map(({ path }) => path)) },
    sizeBytes: totalBytes(part.files),
  };
}

async function verifyModel(
  { entry, part }: Target,
  repair: boolean,
  options: WorkOptions,
  context: StoreContext,
): Promise<Omit<VerifiedModel, 'selector'>> {
  const { model_id } = entry;
  const directory = join(context.layout.root, entry.store_path);
  const isSelected = (path: string): boolean => part === undefined || part.paths.has(path);
  if (!(await isDirectoryInside(context.layout.root, entry.store_path)))
    return {
      model_id,
      status: 'missing',
      bad_files: [],
      note: `${directory} is missing; restore it, or remove the entry with \`skulk delete ${model_id}\``,
    };
  const known = await context.records.read(model_id).catch((error: unknown) => {
    // An error of the disk says nothing about the manifest, which therefore stays.
    if (error instanceof SkulkError) return error;
    throw error;
  });
  if (known === undefined || known instanceof SkulkError) {
    const why = known === undefined ? 'it was never hashed' : known.message;
    const bad_files = await missingFiles(entry.files.filter(isSelected), directory);
    if (bad_files.length > 0)
      return {
        model_id,
        status: 'damaged',
        bad_files,
        note: `${why}, and files are missing; add it again: skulk add PATH --as ${model_id} --force`,
      };
    if (!repair)
      return {
        model_id,
        status: known === undefined ? 'ok' : 'damaged',
        bad_files,
        note: `${why}; \`skulk verify --repair\` creates its manifest`,
      };
    if (known !== undefined) await context.writer.write(() => context.records.remove(model_id));
    await context.knownManifest(model_id, options);
    return { model_id, status: 'repaired', bad_files: [], note: `its manifest was created from its files, because ${why}` };
  }
  const { manifest } = known;
  const files = manifest.files.filter(({ path }) => isSelected(path));
  const { bad, seen } = await checkFiles(files, directory, options);
  // A bad file loses its fingerprint, so that it is not served because of its date.
  const allSeen = part === undefined ? seen : withUnchecked(seen, known.seen, manifest, isSelected);
  await context.writer.write(() => context.records.writeSeen(manifest, allSeen)).catch(() => undefined);
  if (bad.length === 0) return await checkContents({ model_id, files }, directory, options);
  return { model_id, status: 'damaged', bad_files: bad, note: `add it again: skulk add PATH --as ${model_id} --force` };
}

/** The report of a model that the disk cannot read. Other models can still be verified. @throws errors that are not of the disk */
function unreadable({ entry: { model_id } }: Target, error: unknown): VerifiedModel {
  if (error instanceof SkulkError || systemCode(error) === undefined) throw error;
  return { model_id, status: 'damaged', bad_files: [], note: `${reasonOf(error)}; nothing was changed. Check the disk, then verify again` };
}

/**
 * The fingerprints of the checked files, and of those that were not selected. For a whole model nothing is copied, because there may be
 * very many.
 */
function withUnchecked(seen: Seen, before: Seen, { files }: Manifest, isSelected: (path: string) => boolean): Seen {
  const unchecked = files.filter(({ path }) => !isSelected(path) && before[path] !== undefined);
  return { ...Object.fromEntries(unchecked.map(({ path }) => [path, before[path]])), ...seen } as Seen;
}

/** Finds files whose bytes are unchanged but were wrong from the beginning. */
async function checkContents(
  { model_id, files }: Pick<Manifest, 'model_id' | 'files'>,
  directory: string,
  { signal }: WorkOptions,
): Promise<VerifiedModel> {
  const problems = await findContentProblems(
    files.map(({ path, size }) => ({ path, size, absolute: join(directory, path) })),
    signal,
  );
  const unusable = problems.filter(({ kind }) => kind === 'incomplete');
  if (unusable.length > 0)
    return {
      model_id,
      status: 'incomplete',
      bad_files: unusable.map(({ path, reason }) => ({ path, problem: 'unusable', reason })),
      note: 'its files are unchanged, but no program can load them; add intact and complete files with --force',
    };
  const [first] = problems;
  return { model_id, status: 'ok', bad_files: [], ...(first !== undefined && { note: `but ${describeProblem(first)}` }) };
}

async function verifyUnregistered(model_id: ModelId, repair: boolean, options: WorkOptions, context: StoreContext): Promise<VerifiedModel> {
  const directory = join(context.layout.root, directoryName(model_id));
  const known = await context.records.read(model_id).catch(() => undefined);
  const adoptHint = `to adopt it: \`skulk add ${directory} --as ${model_id}\``;
  if (known === undefined || !repair) return { model_id, status: 'unregistered', bad_files: [], note: adoptHint };
  const { bad, seen } = await checkFiles(known.manifest.files, directory, options);
  if (bad.length > 0)
    return { model_id, status: 'unregistered', bad_files: bad, note: 'it does not match its manifest, so it was not touched' };
  const { manifest } = known;
  const files = manifest.files.map(({ path }) => path);
  const upstream = await context.records.upstream(model_id);
  await context.writer.write(() =>
    context.writer.carryOut({
      op: 'publish',
      entry: {
        model_id,
        store_path: directoryName(model_id),
        files,
        downloaded_at: manifest.created_at,
        total_bytes: totalBytes(manifest.files),
        repo_has_projector: files.some(isProjector),
      },
      manifest,
      upstream,
      seen,
      incoming: null,
    }),
  );
  return { model_id, status: 'repaired', bad_files: [], note: 'its registry entry was restored from its manifest' };
}

async function missingFiles(files: readonly string[], directory: string): Promise<readonly BadFile[]> {
  const looks = await mapConcurrently(files, maxOpenFiles, (path) => readFingerprint(join(directory, path)));
  return files.filter((_, index) => looks[index] === undefined).map((path) => ({ path, problem: 'missing' }));
}

async function findUnregistered({ layout }: StoreContext, registered: ReadonlySet<string>): Promise<readonly ModelId[]> {
  const items = await readdir(layout.root, { withFileTypes: true });
  return items.flatMap((item) => {
    const id = item.isDirectory() && !registered.has(item.name) ? modelIdOfDirectory(item.name) : undefined;
    return id === undefined ? [] : [id];
  });
}
