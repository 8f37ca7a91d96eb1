import { join, resolve } from 'node:path';
import { describeProblems, findContentProblems, requireUsable } from '../../catalog/contents/find-content-problems.ts';
import { hasWeights, namesOfModels } from '../../catalog/model-names.ts';
import type { Deps } from '../../connect/deps.ts';
import { openStore } from '../../connect/open-store.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { explainingDiskErrors } from '../../kernel/explain-system-error.ts';
import { quoteSome } from '../../kernel/files/relative-path.ts';
import { directoryName } from '../../kernel/model-id.ts';
import { readLock } from '../../kernel/process/lock.ts';
import { isSameDirectory } from '../../staging/same-place.ts';
import type { Store } from '../../store/contract.ts';
import { canBringIn } from '../../store/ingest/find-place.ts';
import { restoreMoved } from '../../store/ingest/restore-moved.ts';
import { type Scan, scanDirectory } from '../../store/ingest/scan-directory.ts';
import { storeLayout } from '../../store/layout.ts';
import { findCardToAdd, withCard } from './add/add-card.ts';
import type { AddReport, AddRequest } from './add/add-report.ts';
import { refuseHoles } from './add/refuse-holes.ts';
import { refuseOwnDirectories, refuseSecrets } from './add/refuse-own.ts';
import { type Addition, adoptInPlace, bringIn, sendTo } from './add/ways-in.ts';

/**
 * Adds a directory or a file to the store. On this machine it is adopted in place, or cloned, copied or moved to `incoming/` and adopted
 * from there, by the running server if there is one. For a store on another machine, or of another user with a server, it is uploaded.
 * @throws SkulkError FILE_NOT_FOUND, also for a quantization with a missing shard; BAD_PATH, PERMISSION, NO_SPACE before a byte is
 * written; INTEGRITY with `strict`; CONFLICT for other content
 */
export async function addModel(deps: Deps, request: AddRequest): Promise<AddReport> {
  const began = performance.now();
  if (/^[a-z]+:\/\//i.test(request.path))
    throw new SkulkError('FILE_NOT_FOUND', `${request.path} is a URL, not a path`, {
      hint: `to download a model from Hugging Face: skulk download ${request.path}`,
    });
  const source = resolve(deps.world.cwd, request.path);
  if (deps.config.isStoreHost) await restoreMoved(storeLayout(deps.config.settings.storePath.value), source, deps.world.emit);
  const found = await scanDirectory(source);
  const card = await findCardToAdd(request, { source, scan: found, cwd: deps.world.cwd });
  const scan = withCard(found, card);
  if (request.move) await refuseOwnDirectories(source, deps.config);
  await refuseSecrets(source, scan.files, deps.config);
  refuseHoles(scan.files, request);
  const problems = await findContentProblems(scan.files, deps.world.signal);
  if (request.strict === true) requireUsable(problems, request.path);
  const warnings = describeProblems(problems, request.modelId);
  const hint = 'get the files again, then repeat the command with --force; --strict refuses such files';
  // Once, after the last one.
  for (const [index, message] of warnings.entries())
    deps.world.emit({ type: 'warning', message, ...(index === warnings.length - 1 && { hint }) });
  warnOfUnlikelyModel(deps, found.files, { ...request, source });
  await using opened = await openStore(deps, { mayCreate: true });
  const root = opened.localRoot ?? (await localRootOf(opened.store));
  const added: Addition = { deps, request, opened, source, files: scan.files, card };
  const { adopted, bytes } = await explainingDiskErrors(`cannot add ${request.modelId}`, async () => {
    if (root === undefined) return sendTo(added);
    if (await isSameDirectory(source, join(root, directoryName(request.modelId)))) return adoptInPlace(added);
    // Another user than the store's may still send it to the server, like another machine.
    if (opened.uploads !== undefined && !(await canBringIn(storeLayout(root)))) return sendTo(added);
    return bringIn(added, root);
  });
  return {
    ...adopted.entry,
    outcome: adopted.outcome,
    digest: adopted.digest,
    bytes_copied: bytes,
    seconds: (performance.now() - began) / 1000,
    skipped: scan.skipped,
    problems,
  };
}

/**
 * A directory may lack weights on purpose, e.g. one with a tokenizer; a single file hardly does.
 * @throws SkulkError INTEGRITY with `strict` for a single file without weights
 */
function warnOfUnlikelyModel(
  { world }: Deps,
  files: Scan['files'],
  { path, modelId, strict, source }: AddRequest & { readonly source: string },
): void {
  if (!hasWeights(files) && files.every(({ absolute }) => absolute === source)) {
    const message = 'the file has no weights that skulk knows';
    if (strict === true)
      throw new SkulkError('INTEGRITY', `${path} is refused: ${message}`, { hint: 'without --strict it is accepted with a warning' });
    world.emit({ type: 'warning', message: `${modelId}: ${message}` });
  }
  const names = namesOfModels(files);
  if (names.length < 2) return;
  world.emit({
    type: 'warning',
    message: `${modelId} becomes one model, but its files have the names of ${names.length} models: ${quoteSome(names)}`,
    hint: 'each directory becomes one model; to add a file as a model of its own: skulk add FILE --as ID',
  });
}

/** The path of a local store: only there its lock can be read. */
async function localRootOf(store: Store): Promise<string | undefined> {
  const { store_path, instance } = await store.health();
  if (instance === null) return undefined;
  const holder = await readLock(storeLayout(store_path).lock).catch(() => undefined);
  return holder?.token === instance ? store_path : undefined;
}
