import { join } from 'node:path';
import { describeProblems, findContentProblems } from '../../../catalog/contents/find-content-problems.ts';
import { makeManifest, totalBytes } from '../../../catalog/manifest.ts';
import { SkulkError } from '../../../kernel/errors.ts';
import { patient } from '../../../kernel/flow/backoff.ts';
import type { HeldLock } from '../../../kernel/process/lock.ts';
import { plural } from '../../../kernel/units.ts';
import type { Manifest } from '../../../protocol/manifest.ts';
import { fetchPlanned } from '../../../sources/fetch-planned.ts';
import type { PlannedFile } from '../../../sources/joined-file.ts';
import type { Source } from '../../../sources/source.ts';
import { planGrowth } from '../../../staging/groups/plan-growth.ts';
import { copyPath, incomingCopy } from '../../../staging/layout.ts';
import type { LocalCopy } from '../../../staging/local-copy.ts';
import { publishCopy } from '../../../staging/publish-copy.ts';
import type { ListedModel } from '../../../store/listed-contract.ts';
import { enterWorkPlace, removeWorkPlace } from '../../../transfer/work-place.ts';
import { describeMade } from '../describe-outcome.ts';
import type { ModelStage, StageOutcome } from '../model-stage.ts';
import { readUnrecordedCopy } from '../read-unrecorded-copy.ts';
import type { SelectedPart } from '../select-part.ts';
import { warnOfPin } from '../wanted-part.ts';
import { listedKey } from './find-listed.ts';
import { forgetReplaced } from './forget-replaced.ts';
import { type FromList, measureListed } from './measure-listed.ts';
import { askForIds, type HubWord, promiseFiles } from './promise-listed.ts';

/** The input for building a copy beside the stage itself. */
interface ListedTools {
  /** The existing copy. */
  readonly local: LocalCopy | undefined;
  readonly lock: HeldLock;
}

const maxReplacements = 5;

/**
 * Copies a model from a store without manifests. Hashes every file on arrival and compares it with the ids at Hugging Face, if this
 * machine may use it. If the model is replaced in the store in the meantime, starts again.
 * @throws SkulkError INTEGRITY if the content does not match the store's revision, or changes repeatedly; REVISION_NOT_FOUND, NO_SPACE,
 * STORE_UNREACHABLE
 */
export async function copyListed(stage: ModelStage, answer: FromList, { local, lock }: ListedTools): Promise<StageOutcome> {
  const { deps, ref, layout, options, path } = stage;
  if (options.force) await removeWorkPlace(incomingCopy(layout, ref.modelId));
  const word = await askForIds(deps, ref, answer.model);
  let bytesTransferred = 0;
  let { model } = answer;
  for (let round = 1; ; round += 1) {
    const fetched = await fetchOnce(stage, { answer, model, word, local }).catch(async (error: unknown) => {
      const isOther = error instanceof SkulkError && (error.code === 'INTEGRITY' || error.code === 'FILE_NOT_FOUND');
      if (!isOther || (await answer.askAgain()).state === model.state) throw error;
      return undefined;
    });
    bytesTransferred += fetched?.bytesTransferred ?? 0;
    const now = await answer.askAgain();
    if (fetched !== undefined && now.state === model.state) {
      const { part, verified } = fetched;
      await publish(stage, { answer, model, part, verified, local, lock });
      warnOfPin(stage, part);
      deps.world.emit({ type: 'note', message: describeProof(part.manifest, answer.location) });
      return describeMade(stage, {
        source: 'store',
        path,
        part,
        companions: answer.companions,
        isChecked: true,
        bytesTransferred,
        verified,
      });
    }
    if (round === maxReplacements)
      throw new SkulkError('INTEGRITY', `${ref.modelId} kept changing in the store while it was staged`, {
        hint: 'wait until the store has downloaded it, then stage it again',
      });
    deps.world.emit({ type: 'note', message: `${ref.modelId} changed in the store during the stage; staging it as it is now` });
    model = now;
  }
}

/** Fetches the files for a reference into the directory in which copies are built. */
async function fetchOnce(
  stage: ModelStage,
  {
    answer,
    model,
    word,
    local,
  }: { readonly answer: FromList; readonly model: ListedModel; readonly word: HubWord; readonly local: LocalCopy | undefined },
): Promise<{ readonly part: SelectedPart; readonly verified: 'hub' | 'arrival'; readonly bytesTransferred: number }> {
  const { deps, ref, layout, options, connections } = stage;
  const { modelId } = ref;
  const { signal, emit, now } = deps.world;
  const { files: measured, group, missingPin } = await measureListed(stage, answer, model);
  const planned = promiseFiles(measured, { word, model, local });
  const place = incomingCopy(layout, modelId);
  const journal = join(place.path, 'hub-journal');
  await enterWorkPlace(
    place,
    planned.map((file) => file.path),
  );
  await forgetReplaced(planned, { place: place.files, journal, source: answer.files, model, signal });
  const present = options.force ? undefined : (local ?? (await readUnrecordedCopy(stage, planned)));
  const listing = { modelId, revision: ref.revision ?? 'main', commit: word.listing?.commit ?? '', files: planned };
  const { files, bytesTransferred } = await fetchPlanned(
    { listing, files: planned, kept: [], total: totalBytes(planned), ggufFile: undefined, warnings: [] },
    {
      source: await sourceOf(answer, model),
      place: { files: place.files, journal },
      isStore: false,
      present: present === undefined ? undefined : { manifest: present.manifest, directory: copyPath(layout, modelId) },
      connections,
      limiter: options.limiter,
      signal,
      onBytes: (bytesDone, bytesTotal) => emit({ type: 'progress', doing: 'staging', subject: modelId, bytesDone, bytesTotal }),
    },
  );
  const here = files.map((file) => ({ path: file.path, size: file.size, absolute: join(place.files, file.path) }));
  for (const message of describeProblems(await findContentProblems(here, signal), modelId)) emit({ type: 'warning', message });
  const proven = withHubIds(files, { planned, word, local });
  const isOfHub = proven.every(({ hub_id }) => hub_id !== undefined);
  const facts = isOfHub && word.listing !== undefined ? { revision: word.listing.revision, commit: word.listing.commit } : {};
  const manifest = makeManifest(modelId, proven, { ...facts, source: 'python-store', createdAt: now() });
  return { part: { manifest, group, missingPin }, verified: isOfHub ? 'hub' : 'arrival', bytesTransferred };
}

/** Only an id from Hugging Face is an id of the Hub. A file that was compared with a copy keeps the id from that copy. */
function withHubIds(
  files: Manifest['files'],
  { planned, word, local }: { readonly planned: readonly PlannedFile[]; readonly word: HubWord; readonly local: LocalCopy | undefined },
): Manifest['files'] {
  const listed = new Map(word.listing?.files.map((file) => [file.path, file.sha256 ?? file.oid]));
  const known = new Map(local?.manifest.files.map((file) => [file.sha256, file.hub_id]));
  const promised = new Map(planned.map(({ path, promise }) => [path, promise?.value]));
  return files.map(({ hub_id: found, ...file }) => {
    const isOfHub = found !== undefined && found === listed.get(file.path) && found === promised.get(file.path);
    const hub_id = isOfHub ? found : word.listing === undefined ? known.get(file.sha256) : undefined;
    return { ...file, ...(hub_id !== undefined && { hub_id }) };
  });
}

/** The store as a source of files. */
async function sourceOf({ files, location }: FromList, model: ListedModel): Promise<Source> {
  const { isTransient } = await import('../../../client/http/transient.ts');
  return {
    name: `the store at ${location}`,
    kind: 'python-store',
    isTransient,
    retry: patient,
    list: () => Promise.reject(new Error('what a store has is listed before')),
    open: (_, { path, size }, range, signal) => files.read({ ...model, path, size }, range, signal),
  };
}

async function publish(
  { deps: { world }, ref: { modelId }, card, layout, options }: ModelStage,
  {
    answer,
    model,
    part,
    verified,
    local,
    lock,
  }: {
    readonly answer: FromList;
    readonly model: ListedModel;
    readonly part: SelectedPart;
    readonly verified: 'hub' | 'arrival';
  } & ListedTools,
): Promise<void> {
  const { manifest, group } = part;
  const wanted = { ...part, whole: group.selector === null ? manifest : undefined, force: options.force };
  await publishCopy(manifest, incomingCopy(layout, modelId), {
    layout,
    lock,
    now: world.now,
    signal: AbortSignal.any([world.signal, lock.lost]),
    companions: card?.companions ?? answer.companions,
    pin: answer.pin,
    proof: { verified, listed: { [listedKey(group.selector)]: model.state } },
    wanted,
    grows: local !== undefined && planGrowth(local, wanted, world.now().toISOString()) !== undefined,
  });
}

/** One sentence: how the content was verified. */
function describeProof({ model_id, files }: Manifest, location: string): string {
  const compared = files.filter(({ hub_id }) => hub_id !== undefined).length;
  const rest = files.length - compared;
  const who = `the store at ${location} is the Python program, which does not say what ${model_id} must contain`;
  if (rest === 0) return `${who}; all ${plural(files.length, 'file')} match Hugging Face`;
  const some = compared === 0 ? '' : `${plural(compared, 'file')} match Hugging Face, `;
  return `${who}; ${some}${plural(rest, 'file')} were only hashed on arrival`;
}
