import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describeProblem, findContentProblems } from '../catalog/contents/find-content-problems.ts';
import { totalBytes } from '../catalog/manifest.ts';
import { isProjector } from '../catalog/selection/projectors.ts';
import { type SkulkError, systemCode } from '../kernel/errors.ts';
import { mapConcurrently, maxOpenFiles } from '../kernel/flow/concurrency.ts';
import { directoryName, type ModelId, modelIdOfDirectory } from '../kernel/model-id.ts';
import { noSuchModel } from '../kernel/no-such-model.ts';
import type { Manifest, ManifestFile } from '../protocol/manifest.ts';
import type { BadFile, RegistryEntry, VerifiedModel, VerifyReport } from '../protocol/models.ts';
import { type Fingerprint, lookAtFile, untouchedBetween } from '../transfer/fingerprint.ts';
import { runHashJob } from '../transfer/hash-pool.ts';
import type { WorkOptions } from './contract.ts';
import { isDirectoryInside } from './disk/inside-store.ts';
import type { StoreContext } from './store-context.ts';

/**
 * Hashes models again and compares them with their manifests. With `repair` what can be made again is: a manifest from the
 * files, a registry entry from a manifest whose files are right. No file of a model is ever touched.
 * @throws SkulkError MODEL_NOT_FOUND for a model that is named and unknown
 */
export async function verifyStore(
  { modelIds, repair }: { readonly modelIds: readonly ModelId[]; readonly repair: boolean },
  options: WorkOptions,
  context: StoreContext,
): Promise<VerifyReport> {
  // First what was interrupted is ended; a store that cannot be written to can still be looked at.
  await context.writer
    .write(async () => {})
    .catch((error: unknown) => {
      if (repair || options.signal.aborted) throw error;
      context.world.emit({
        type: 'warning',
        message: `nothing is mended and nothing noted down: ${error instanceof Error ? error.message : String(error)}`,
      });
    });
  const { entries, unusable } = await context.registry();
  const unregistered = await findUnregistered(context, new Set(entries.values().map(({ store_path }) => store_path)));
  for (const id of modelIds) {
    if (!entries.has(id) && !unregistered.includes(id)) throw noSuchModel(id, 'in the store', entries.keys());
  }
  const wanted = (id: ModelId): boolean => modelIds.length === 0 || modelIds.includes(id);
  const total = [...entries.values()].filter(({ model_id }) => wanted(model_id)).reduce((sum, { total_bytes }) => sum + total_bytes, 0);
  let before = 0;
  const models: VerifiedModel[] = [];
  for (const entry of entries.values()) {
    if (!wanted(entry.model_id)) continue;
    const step: WorkOptions = { signal: options.signal, onBytes: (done) => options.onBytes?.(Math.min(before + done, total), total) };
    models.push(await verifyModel(entry, repair, step, context));
    before += entry.total_bytes;
  }
  for (const { key, why } of modelIds.length === 0 ? unusable : []) {
    models.push({
      model_id: key,
      status: 'damaged',
      bad_files: [],
      note: `its entry in ${context.layout.registry} cannot be used: ${why}; mend or remove it there`,
    });
  }
  for (const id of unregistered.filter(wanted)) models.push(await verifyUnregistered(id, repair, options, context));
  return {
    ok: models.every(
      ({ status, bad_files }) => status === 'ok' || status === 'repaired' || (status === 'unregistered' && bad_files.length === 0),
    ),
    models,
  };
}

async function verifyModel(entry: RegistryEntry, repair: boolean, options: WorkOptions, context: StoreContext): Promise<VerifiedModel> {
  const { model_id } = entry;
  const directory = join(context.layout.root, entry.store_path);
  if (!(await isDirectoryInside(context.layout.root, entry.store_path)))
    return {
      model_id,
      status: 'missing',
      bad_files: [],
      note: `${directory} is not there; put it back, or \`skulk delete ${model_id}\` removes the entry`,
    };
  const known = await context.records.read(model_id).catch((error: unknown) => error as SkulkError);
  if (known === undefined || known instanceof Error) {
    const why = known === undefined ? 'it was never hashed' : known.message;
    const bad_files = await missingFiles(entry, directory);
    if (bad_files.length > 0)
      return {
        model_id,
        status: 'damaged',
        bad_files,
        note: `${why}, and files are missing; bring it in again: skulk add PATH --as ${model_id} --force`,
      };
    if (!repair)
      return {
        model_id,
        status: known === undefined ? 'ok' : 'damaged',
        bad_files,
        note: `${why}; \`skulk verify --repair\` makes its manifest`,
      };
    if (known !== undefined) await context.writer.write(() => context.records.remove(model_id));
    await context.knownManifest(model_id, options);
    return { model_id, status: 'repaired', bad_files: [], note: `its manifest was made from its files, because ${why}` };
  }
  const { bad, seen } = await checkFiles(known.manifest, directory, options);
  // A bad file loses its fingerprint, so that it is not served on the strength of its date.
  await context.writer.write(() => context.records.writeSeen(known.manifest, seen)).catch(() => undefined);
  if (bad.length === 0) return await lookAtContents(known.manifest, directory, options);
  return { model_id, status: 'damaged', bad_files: bad, note: `bring it in again: skulk add PATH --as ${model_id} --force` };
}

/** Every byte is what it was; what it never was shows here. */
async function lookAtContents({ model_id, files }: Manifest, directory: string, { signal }: WorkOptions): Promise<VerifiedModel> {
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
      note: 'its files are as they were brought in, but no program can load them; bring in the whole model',
    };
  const [first] = problems;
  return { model_id, status: 'ok', bad_files: [], ...(first !== undefined && { note: `but ${describeProblem(first)}` }) };
}

async function verifyUnregistered(model_id: ModelId, repair: boolean, options: WorkOptions, context: StoreContext): Promise<VerifiedModel> {
  const directory = join(context.layout.root, directoryName(model_id));
  const known = await context.records.read(model_id).catch(() => undefined);
  const adoptHint = `\`skulk add ${directory} --as ${model_id}\` takes it into the store`;
  if (known === undefined || !repair) return { model_id, status: 'unregistered', bad_files: [], note: adoptHint };
  const { bad, seen } = await checkFiles(known.manifest, directory, options);
  if (bad.length > 0)
    return { model_id, status: 'unregistered', bad_files: bad, note: 'it is not what its manifest says, so it was left alone' };
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
  return { model_id, status: 'repaired', bad_files: [], note: 'it was entered into the registry again from its manifest' };
}

async function checkFiles(
  manifest: Manifest,
  directory: string,
  { signal, onBytes }: WorkOptions,
): Promise<{ bad: readonly BadFile[]; seen: Record<string, Fingerprint> }> {
  const seen: Record<string, Fingerprint> = {};
  const total = totalBytes(manifest.files);
  let done = 0;
  const checkFile = async ({ path, size, sha256 }: ManifestFile): Promise<BadFile['problem'] | undefined> => {
    const absolute = join(directory, path);
    let own = 0;
    const report = (bytes: number): void => {
      done += bytes - own;
      own = bytes;
      onBytes?.(done, total);
    };
    try {
      const fingerprint = await lookAtFile(absolute);
      if (fingerprint === undefined) return 'missing';
      if (fingerprint.size !== size) return 'size';
      const found = await runHashJob({ kind: 'digest', path: absolute }, { signal, onBytes: report });
      if (found.sha256 !== sha256) return 'content';
      if (untouchedBetween(fingerprint, await lookAtFile(absolute))) seen[path] = fingerprint;
      return undefined;
    } catch (error) {
      // Only what the disk says counts against the file; a hashing thread that died says nothing of it.
      if (signal.aborted || systemCode(error) === undefined) throw error;
      return 'unreadable';
    } finally {
      report(size);
    }
  };
  const problems = await mapConcurrently(manifest.files, maxOpenFiles, checkFile);
  return { bad: manifest.files.flatMap(({ path }, index) => problemOf(path, problems[index])), seen };
}

const problemOf = (path: string, problem: BadFile['problem'] | undefined): readonly BadFile[] =>
  problem === undefined ? [] : [{ path, problem }];

async function missingFiles({ files }: RegistryEntry, directory: string): Promise<readonly BadFile[]> {
  const looks = await mapConcurrently(files, maxOpenFiles, (path) => lookAtFile(join(directory, path)));
  return files.filter((_, index) => looks[index] === undefined).map((path) => ({ path, problem: 'missing' }));
}

async function findUnregistered({ layout }: StoreContext, registered: ReadonlySet<string>): Promise<readonly ModelId[]> {
  const items = await readdir(layout.root, { withFileTypes: true });
  return items.flatMap((item) => {
    const id = item.isDirectory() && !registered.has(item.name) ? modelIdOfDirectory(item.name) : undefined;
    return id === undefined ? [] : [id];
  });
}
