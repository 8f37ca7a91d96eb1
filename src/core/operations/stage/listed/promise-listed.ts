import type { Deps } from '../../../connect/deps.ts';
import { openHub } from '../../../connect/open-hub.ts';
import { SkulkError } from '../../../kernel/errors.ts';
import type { RelativePath } from '../../../kernel/files/relative-path.ts';
import type { ModelRef } from '../../../kernel/model-id.ts';
import type { PlannedFile } from '../../../sources/joined-file.ts';
import type { Listing } from '../../../sources/source.ts';
import type { LocalCopy } from '../../../staging/local-copy.ts';
import type { ListedModel } from '../../../store/listed-contract.ts';
import { promiseOf } from '../../../transfer/promised-file.ts';
import { filesOfState } from './find-listed.ts';

/** How long to wait for Hugging Face, in milliseconds. The store has the model, so this only adds ids. */
const hubMs = 15_000;

/** Hugging Face's data about a model in a store without manifests. */
export interface HubWord {
  /** Undefined if it could not be asked, or does not have the model. */
  readonly listing: Listing | undefined;
  /** The store must have exactly this commit. Otherwise it may legitimately have another one. */
  readonly isExact: boolean;
}

/**
 * Asks Hugging Face for the ids of a model's files, if this machine may do that: at the requested revision, else at the store's revision,
 * else at `main`.
 * @throws SkulkError REVISION_NOT_FOUND if a revision was requested and it cannot be confirmed that the store has it
 */
export async function askForIds(deps: Deps, { modelId, revision }: ModelRef, { commit }: ListedModel): Promise<HubWord> {
  const isExact = revision !== undefined || commit !== null;
  const listing = await listOnHub(deps, { modelId, revision: revision ?? commit ?? 'main' });
  if (revision !== undefined && commit !== null && ![revision, listing?.commit].includes(commit))
    throw new SkulkError('REVISION_NOT_FOUND', `the store has ${modelId} at ${commit}, not at ${revision}`, {
      hint: `omit @${revision}, or replace the model in the store`,
    });
  if (revision !== undefined && revision !== commit && listing === undefined)
    throw new SkulkError('REVISION_NOT_FOUND', `the store of the Python program does not say which revision of ${modelId} it has`, {
      hint: `omit @${revision}, or enable requests to Hugging Face on this machine`,
    });
  return { listing, isExact };
}

async function listOnHub(deps: Deps, asked: Pick<Listing, 'modelId' | 'revision'>): Promise<Listing | undefined> {
  const { world, config } = deps;
  if (!config.settings.allowHubFallback.value) return undefined;
  try {
    using opened = await openHub(deps, { connections: 1 });
    return await opened.hub.list(asked, AbortSignal.any([world.signal, AbortSignal.timeout(hubMs)]));
  } catch (error) {
    if (world.signal.aborted) throw world.signal.reason;
    const why = error instanceof SkulkError ? error.message : 'it did not answer in time';
    world.emit({ type: 'note', message: `Hugging Face was not asked what ${asked.modelId} must contain: ${why}` });
    return undefined;
  }
}

/**
 * The expected content of each file: from a copy of the same state, else from Hugging Face, else only its size.
 * @throws SkulkError REVISION_NOT_FOUND if the store has another revision than the required one
 */
export function promiseFiles(
  files: readonly { readonly path: RelativePath; readonly size: number }[],
  {
    word: { listing, isExact },
    model,
    local,
  }: { readonly word: HubWord; readonly model: ListedModel; readonly local: LocalCopy | undefined },
): readonly PlannedFile[] {
  const listed = new Map(listing?.files.map((file) => [file.path, file]));
  const isOfNow = local === undefined ? new Set<string>() : filesOfState(local, model.state);
  const known = new Map(local?.manifest.files.filter(({ path }) => isOfNow.has(path)).map((file) => [file.path, file]));
  return files.map((file) => {
    const upstream = listed.get(file.path);
    if (upstream !== undefined && isExact && upstream.size !== file.size)
      throw new SkulkError(
        'REVISION_NOT_FOUND',
        `${file.path} of ${model.modelId} in the store differs from the one at ${listing?.commit}`,
        {
          hint: 'omit the revision, or replace the model in the store',
        },
      );
    if (upstream !== undefined && upstream.size === file.size)
      return { ...file, promise: { ...promiseOf(upstream), ...(!isExact && { isTentative: true }) } };
    const here = known.get(file.path);
    if (here !== undefined && here.size === file.size)
      return { ...file, promise: { kind: 'sha256', value: here.sha256, isTentative: true } };
    return { ...file, promise: { kind: 'arrival', value: model.state } };
  });
}
