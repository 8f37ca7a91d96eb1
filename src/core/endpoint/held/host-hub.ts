import { SkulkError } from '../../kernel/errors.ts';
import { isRelativePath } from '../../kernel/files/relative-path.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { LocalStore } from '../../store/local-store.ts';
import {
  type ColdHub,
  type HubAsker,
  type HubBackend,
  type HubContent,
  type HubFile,
  HubFileMoved,
  type HubRef,
  HubRefusal,
  type HubRepo,
  type OpenOptions,
  type UpstreamRepo,
} from '../contract.ts';
import { type HeldViews, mainOf, repoOf, toTime } from '../view/held-views.ts';
import { parseRepoId } from '../view/repo-ids.ts';
import { findRevision, noRevision } from '../view/revisions.ts';
import { createHeldModels } from './held-models.ts';
import { createModelList } from './list-held.ts';
import { createFactsReader } from './read-facts.ts';
import { createGgufReader } from './read-gguf.ts';

/** The options of a host's Hub. */
export interface HostHubOptions {
  readonly store: LocalStore;
  /** Fetches missing files; without it nothing is fetched, and no source is contacted. */
  readonly cold?: ColdHub | undefined;
  /** Whether a model is hidden from Hub clients; if absent, none is. */
  readonly isHidden?: ((modelId: ModelId) => Promise<boolean>) | undefined;
}

/** Clients retry a refused request for a file below this size (docs/hub-endpoint.md, "Refusals"); in bytes. */
const smallBytes = 10 * 1024 * 1024;
/** A file that moves in the store during each lookup is refused after this many tries. */
const maxTries = 4;

/** The Hub of a store host. Existing files come from the store; missing files come from `cold`, for clients with that right. */
export function createHostHub({ store, cold, isHidden = async () => false }: HostHubOptions): HubBackend {
  const held = createHeldModels(store);
  const isOn = async (): Promise<boolean> => (await cold?.isOn()) === true;
  const list = createModelList(store, held, { isOn, isHidden });
  const readFacts = createFactsReader(store);
  const readGguf = createGgufReader(store);
  /** Upstream's data about a repo beside its files. */
  const sources = new WeakMap<HubRepo, UpstreamRepo>();
  /** Undefined if nothing may be fetched for this client. */
  const askable = async ({ mayFetch, via }: HubAsker): Promise<ColdHub | undefined> => {
    if (cold === undefined || !mayFetch || !(await isOn())) return undefined;
    return via === undefined ? cold : { ...cold, findListing: (ref, signal) => cold.findListing({ ...ref, via }, signal) };
  };

  /** @param id the store's spelling, if it has a part of the model */
  const lookUp = async (
    hub: ColdHub,
    { modelId, revision }: { readonly modelId: ModelId; readonly revision: string },
    { id, files, signal }: { readonly id?: ModelId; readonly files: readonly HubFile[]; readonly signal: AbortSignal },
  ): Promise<HubRepo> => {
    const found = await hub.findListing({ modelId, revision }, signal);
    const repo = repoOf(id ?? found.repo, found, {
      held: files,
      lastModified: toTime(found.lastModified),
      createdAt: toTime(found.createdAt ?? found.lastModified),
    });
    sources.set(repo, found);
    return repo;
  };

  /** Completes a commit that the store only knows in part, if upstream can be contacted. */
  const complete = async (repo: HubRepo, asker: HubAsker, signal: AbortSignal): Promise<HubRepo> => {
    const hub = repo.isComplete ? undefined : await askable(asker);
    if (hub === undefined) return repo;
    try {
      return await lookUp(hub, { modelId: repo.id, revision: repo.commit }, { id: repo.id, files: repo.files, signal });
    } catch (error) {
      // Existing files can still be sent. Requests for the listing or a missing file are refused later.
      if (error instanceof HubRefusal && !signal.aborted) return repo;
      throw error;
    }
  };

  const atRevision = async (views: HeldViews, revision: string, asker: HubAsker, signal: AbortSignal): Promise<HubRepo> => {
    const { id, own, source, names } = views;
    const found = findRevision(id, revision, { names, commits: source === undefined ? [own.commit] : [source.commit, own.commit] });
    if (found.kind === 'main') return complete(mainOf(views, await isOn()), asker, signal);
    if (found.kind === 'commit') return complete(source?.commit === found.commit ? source : own, asker, signal);
    // A model without a source is never mixed with a Hub model of the same name.
    const hub = source === undefined ? undefined : await askable(asker);
    if (hub === undefined) throw noRevision(id, revision);
    return lookUp(hub, { modelId: id, revision: found.revision }, { id, files: own.files, signal });
  };

  return {
    repo: async ({ id, revision = 'main' }: HubRef, asker, signal) => {
      const modelId = parseRepoId(id);
      const views = await held.find(modelId);
      if (views !== undefined) {
        if (await isHidden(views.id)) throw notHere(modelId);
        return atRevision(views, revision, asker, signal);
      }
      // A name without an organization belongs to the store's own models.
      const hub = modelId.includes('/') ? await askable(asker) : undefined;
      if (hub === undefined) throw notHere(modelId, { isForFetching: modelId.includes('/') && (await isOn()) });
      // Revisions are validated in the same way.
      findRevision(modelId, revision, { names: [], commits: [] });
      return lookUp(hub, { modelId, revision }, { files: [], signal });
    },
    facts: async (repo) => {
      const [own, gguf] = await Promise.all([readFacts(repo), readGguf(repo)]);
      return { ...(own ?? sources.get(repo)?.facts ?? { tags: [] }), ...(gguf !== undefined && { gguf }) };
    },
    list,
    head: async (repo, file, asker) => {
      if (file.isHeld) return;
      if (cold === undefined || !(await cold.isOn())) throw notHeld(repo, file);
      if (asker.mayFetch) await cold.head(repo, file);
    },
    open: async (repo, file, options) => {
      const here = (await openHeld(store, repo, file)) ?? (await openArrived(store, repo, file));
      if (here !== undefined) return here;
      for (let tries = 1; ; tries += 1) {
        try {
          return await openCold(cold, repo, file, options);
        } catch (error) {
          const arrived = options.signal.aborted ? undefined : await openArrived(store, repo, file);
          if (arrived !== undefined) return arrived;
          if (!(error instanceof HubFileMoved) || tries >= maxTries) throw error;
        }
      }
    },
  };
}

/** Opens a file of the store. Undefined if it is gone, or its content has changed. */
async function openHeld(store: LocalStore, { id }: HubRepo, { path, isHeld, sha256 }: HubFile): Promise<HubContent | undefined> {
  if (!isHeld || !isRelativePath(path)) return undefined;
  try {
    const file = await store.openFile(id, path);
    if (file.sha256 === sha256) return { kind: 'file', file };
    await file[Symbol.asyncDispose]();
    return undefined;
  } catch (error) {
    if (error instanceof SkulkError && (error.code === 'MODEL_NOT_FOUND' || error.code === 'FILE_NOT_FOUND')) return undefined;
    throw error;
  }
}

/** Opens a file that a download has put into the store since the repo was read: it is no longer in the download's directory. */
async function openArrived(store: LocalStore, repo: HubRepo, file: HubFile): Promise<HubContent | undefined> {
  if (file.isHeld || file.lfs === undefined) return undefined;
  return openHeld(store, repo, { ...file, isHeld: true, sha256: file.lfs.sha256 }).catch(() => undefined);
}

async function openCold(cold: ColdHub | undefined, repo: HubRepo, file: HubFile, options: OpenOptions): Promise<HubContent> {
  // It was replaced or removed between two steps of this request.
  if (file.isHeld) throw new HubRefusal('busy', `${repo.id} has just changed in the store: try again`);
  if (cold === undefined || !(await cold.isOn())) throw notHeld(repo, file);
  if (!options.asker.mayFetch)
    throw new HubRefusal(
      'mayNotFetch',
      `${repo.id} is in this store without ${JSON.stringify(file.path)}, and this caller may not start a download: use \`skulk download\`, or a token with the role node`,
    );
  return cold.open(repo, file, options);
}

const notHeld = ({ id, commit }: HubRepo, { path, size }: HubFile): HubRefusal =>
  new HubRefusal(
    'unreachable',
    `this store has ${id} at ${commit.slice(0, 12)} without ${JSON.stringify(path)}${size < smallBytes ? '' : ` (${size} bytes)`}, and does not download it, because hub.upstream is off`,
  );

const notHere = (modelId: ModelId, { isForFetching = false }: { readonly isForFetching?: boolean } = {}): HubRefusal =>
  new HubRefusal(
    'repoNotFound',
    isForFetching
      ? `${modelId} is not in this store, and this caller may not start a download: use \`skulk download ${modelId}\`, or a token with the role node`
      : `${modelId} is not in this store: \`skulk download ${modelId}\` adds it`,
  );
