import { checkRevision } from '../../catalog/check-revision.ts';
import { listNotHeld } from '../../catalog/held-files.ts';
import type { KindFile } from '../../catalog/selection/file-kind.ts';
import { findGroup } from '../../catalog/selection/find-group.ts';
import { selectFiles } from '../../catalog/selection/select-files.ts';
import { selectionError } from '../../catalog/selection/selection-error.ts';
import type { Deps } from '../../connect/deps.ts';
import { isPythonHost } from '../../connect/is-python-host.ts';
import type { OpenedStore } from '../../connect/open-store.ts';
import { readFromStore } from '../../connect/second-store.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { nodeNames } from '../../kernel/machine/node-names.ts';
import type { ModelId, ModelRef } from '../../kernel/model-id.ts';
import { noSuchModel } from '../../kernel/no-such-model.ts';
import { problemsFor } from '../../protocol/describe/problems.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import type { DescribedEntry } from '../../protocol/models/entries.ts';
import type { AvailableQuantization, ShownModel, StoredQuantization } from '../../protocol/models/shown-model.ts';
import { stagingLayout } from '../../staging/layout.ts';
import { listCopies } from '../../staging/list-copies.ts';
import { describeListed } from './describe-listed.ts';
import { describeQuantizations } from './describe-quantizations.ts';
import { keptListing } from './kept-listing.ts';
import { describeCopy, nodesWithPart } from './show-part.ts';

/** @throws SkulkError MODEL_NOT_FOUND, REVISION_NOT_FOUND; FILE_NOT_FOUND for a selector that names nothing of it */
export const showModel = (deps: Deps, ref: ModelRef): Promise<ShownModel> =>
  readFromStore(deps, async (opened) => {
    await using _ = opened;
    return await describeModel(deps, opened, ref);
  });

async function describeModel(deps: Deps, opened: OpenedStore, ref: ModelRef): Promise<ShownModel> {
  const { modelId } = ref;
  const entries = await opened.store.listDescribed();
  const entry = entries.find(({ model_id }) => model_id === modelId);
  if (entry === undefined)
    throw noSuchModel(
      modelId,
      `in the store at ${opened.store.location}`,
      entries.map(({ model_id }) => model_id),
    );
  const answer = await opened.store.manifest(modelId).catch(async (error: unknown) => {
    // The Python program does not give the files of a vision model without its projector, but lists the model.
    const isHidden = error instanceof SkulkError && error.code === 'MODEL_NOT_FOUND' && opened.url !== undefined;
    if (!isHidden || !(await isPythonHost(opened))) throw error;
    return undefined;
  });
  const manifest = answer?.state === 'ready' ? answer.manifest : undefined;
  const described =
    answer?.state === 'listed' && opened.store.listed !== undefined
      ? await describeListed(opened.store.listed, answer.model, deps.world.signal)
      : undefined;
  const { sizes = new Map<string, number>(), traits = entry } = described ?? {};
  if (manifest !== undefined) checkRevision(ref, manifest);
  const all: readonly (ShownModel['files'][number] & KindFile)[] =
    manifest?.files ?? entry.files.map((path) => ({ path, size: sizes.get(path) ?? null, sha256: null }));
  const files = filesOfPart(ref, all);
  // The registry of the Python program also counts files that do not belong to the model.
  const isMeasured = described !== undefined && files.every(({ size }) => size !== null);
  const nodes = await nodesWith(deps, opened, modelId);
  const copy = (await listCopies(stagingLayout(deps.config.settings.nodeCachePath.value))).copies.find((one) => one.modelId === modelId);
  const quantizations = describeQuantizations(manifest?.files ?? entry.files.map((path) => ({ path, size: sizes.get(path) ?? 0 })), {
    manifest,
    nodes,
  }).filter(isNamed(ref, all));
  // With a selector it is about that quantization; a selector may also name another file, e.g. a projector.
  const part = ref.selector === undefined || quantizations.length !== 1 ? undefined : quantizations[0];
  const isAboutAll = ref.selector === undefined && manifest !== undefined && quantizations.length > 0;
  const notInStore = isAboutAll ? await listNotInStore(deps, opened, manifest) : undefined;
  return {
    model_id: modelId,
    store_path: entry.store_path,
    total_bytes: ref.selector === undefined && !isMeasured ? entry.total_bytes : files.reduce((sum, { size }) => sum + (size ?? 0), 0),
    downloaded_at: entry.downloaded_at,
    digest: part === undefined ? (manifest?.digest ?? null) : part.digest,
    revision: manifest?.revision ?? null,
    commit: manifest?.commit ?? null,
    source: manifest?.source ?? (answer === undefined || answer.state === 'listed' ? 'python-store' : null),
    ...(manifest?.provenance !== undefined && { provenance: manifest.provenance }),
    companions: (answer === undefined || answer.state === 'hashing' ? [] : answer.companions).map((one) => ({
      model_id: one.modelId,
      role: one.role,
    })),
    tags: traits.tags,
    capabilities: traits.capabilities,
    supports_tensor: traits.supports_tensor,
    base_model: traits.base_model,
    quantization: traits.quantization,
    family: traits.family,
    context_length: traits.context_length,
    parameters: traits.parameters,
    license: traits.license,
    card: traits.card ?? null,
    hashed: manifest !== undefined,
    files: files.map(({ path, size, sha256, gguf_kind }) => ({ path, size, sha256, ...(gguf_kind !== undefined && { gguf_kind }) })),
    staged: describeCopy(copy, part?.selector),
    quantizations,
    ...(notInStore !== undefined && { not_in_store: notInStore }),
    nodes: part === undefined ? nodes : nodesWithPart(nodes, part.selector),
    ...problemsOf(entry, ref.selector === undefined ? undefined : quantizations),
  };
}

/** The problems of the model, or of the selected quantizations. */
function problemsOf(
  { problems = [] }: Pick<DescribedEntry, 'problems'>,
  selected: readonly StoredQuantization[] | undefined,
): Pick<ShownModel, 'problems'> {
  const wanted =
    selected === undefined ? problems : problems.filter((one) => selected.some(({ selector }) => problemsFor([one], selector).length > 0));
  return wanted.length === 0 ? {} : { problems: wanted };
}

/** With a selector, only the selected quantization is shown. */
function isNamed({ selector }: ModelRef, files: readonly KindFile[]): (one: StoredQuantization) => boolean {
  if (selector === undefined) return () => true;
  const found = findGroup(
    files.map((file) => ({ ...file, size: 0 })),
    selector,
  );
  return (one) => found.state === 'found' && one.selector === found.group.selector;
}

/** The quantizations of the repo, as of the last download, that the store lacks; undefined if unknown. Hugging Face is not asked. */
async function listNotInStore(
  { world }: Deps,
  opened: OpenedStore,
  { model_id: modelId, files }: Manifest,
): Promise<readonly AvailableQuantization[] | undefined> {
  try {
    const upstream = await keptListing(opened.store, modelId);
    if (upstream === undefined) return await opened.notInStore?.(modelId);
    return listNotHeld(upstream.files, files).map(({ selector, label, sizeBytes, files: own }) => ({
      selector,
      size_bytes: sizeBytes,
      bits_per_weight: label?.bitsPerWeight ?? null,
      files: own.length,
    }));
  } catch (error) {
    if (!(error instanceof SkulkError) || world.signal.aborted) throw error;
    return undefined;
  }
}

function filesOfPart<F extends KindFile>({ modelId, selector }: ModelRef, files: readonly F[]): readonly F[] {
  if (selector === undefined) return files;
  const { taken, problem } = selectFiles(
    files.map((file) => ({ ...file, size: 0, file })),
    { modelId, selector },
  );
  if (problem !== undefined) throw selectionError(problem, { modelId, where: 'in the store' });
  return taken.map(({ file }) => file.file);
}

/** A store without nodes is still a valid store. */
async function nodesWith({ world }: Deps, opened: OpenedStore, modelId: ModelId): Promise<ShownModel['nodes']> {
  try {
    const nodes = await (await opened.fleet()).nodes();
    const nameOf = nodeNames(nodes);
    return nodes.flatMap(({ node_id, hostname, copies }) =>
      (copies ?? [])
        .filter((copy) => copy.model_id === modelId)
        .map(({ model_id: _, ...copy }) => ({ node_id, hostname, name: nameOf({ node_id, hostname }), ...copy })),
    );
  } catch (error) {
    if (!(error instanceof SkulkError) || world.signal.aborted) throw error;
    return [];
  }
}
