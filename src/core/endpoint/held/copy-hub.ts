import type { Upstream } from '../../catalog/upstream.ts';
import { isRelativePath } from '../../kernel/files/relative-path.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import type { OpenFile } from '../../store/local-store.ts';
import { type HubBackend, type HubFacts, type HubFile, HubRefusal, type HubRepo } from '../contract.ts';
import { type HeldViews, toTime, viewsOf } from '../view/held-views.ts';
import { readInfo } from '../view/read-info.ts';
import { findHeld, parseRepoId } from '../view/repo-ids.ts';
import { findRevision } from '../view/revisions.ts';
import { createFactsReader } from './read-facts.ts';

/** The staged copies of a machine, and its store's answers about their models. */
export interface HubCopies {
  list(): Promise<readonly ModelId[]>;
  /** With the git id of every file that a repo would keep in git itself. Undefined if there is no verified copy. */
  manifest(modelId: ModelId): Promise<Manifest | undefined>;
  /** The store's saved Hub answer about the model; see `readInfo`. */
  kept(modelId: ModelId): Promise<unknown>;
  /** See `ServedCopies.open`. */
  open(modelId: ModelId, path: string): Promise<OpenFile | undefined>;
}

/** The copies of a machine as a Hub. */
export interface CopyHub extends HubBackend {
  /** The local spelling of a model with a copy. */
  find(id: string): Promise<ModelId | undefined>;
  /** Whether a store's answer about a model lists all files of the copy with the same content; see `readInfo`. */
  fits(modelId: ModelId, said: unknown): Promise<boolean>;
  /** Opens the file of a copy whose content matches an ETag of the store; undefined if its content is different, or missing. */
  openSame(
    modelId: ModelId,
    wanted: { readonly path?: string | undefined; readonly etag: string; readonly size: number },
  ): Promise<(OpenFile & { readonly path: string }) | undefined>;
}

/** The store's answer about a model, if it matches the copy. */
interface Kept {
  readonly views: HeldViews;
  /** The `main` branch while the store is unreachable. */
  readonly main: HubRepo;
  readonly facts: HubFacts | undefined;
}

/** Clients retry a refused request for a file below this size; in bytes. */
const smallBytes = 10 * 1024 * 1024;

/**
 * The staged copies as a Hub, for the time when the store is unreachable. Shows the store's own listing and commit if they are saved here
 * and match the copy. Otherwise shows the copy's own files, under a commit computed from its content (docs/hub-endpoint.md, "Nodes").
 */
export function createCopyHub(copies: HubCopies): CopyHub {
  const made = new WeakMap<Manifest, { readonly said: unknown; readonly kept: Kept }>();
  const readFacts = createFactsReader({ openFile: async (id, path) => required(await copies.open(id, path)) });

  const findKept = async (modelId: ModelId): Promise<Kept | undefined> => {
    const [manifest, said] = await Promise.all([copies.manifest(modelId), copies.kept(modelId)]);
    if (manifest === undefined) return undefined;
    const before = made.get(manifest);
    if (before !== undefined && before.said === said) return before.kept;
    const kept = keptOf(manifest, said);
    made.set(manifest, { said, kept });
    return kept;
  };
  const find = async (id: string): Promise<ModelId | undefined> => {
    const modelId = parseRepoId(id);
    const models = await copies.list();
    const names = new Set(models);
    return findHeld(modelId, {
      has: (one) => names.has(one),
      folded: (lower) => models.filter((one) => one.toLowerCase() === lower),
    });
  };
  /** A model that the store refused in its last answer is not shown here either. */
  const isRefused = async (modelId: ModelId): Promise<boolean> =>
    (((await copies.kept(modelId)) ?? {}) as { readonly refused?: unknown }).refused === true;

  const repoAt = async (id: string, revision: string): Promise<HubRepo> => {
    const modelId = await find(id);
    const kept = modelId === undefined || (await isRefused(modelId)) ? undefined : await findKept(modelId);
    if (modelId === undefined || kept === undefined) throw awayWithout(id);
    const { own, source, names } = kept.views;
    const found = findRevision(modelId, revision, { names, commits: source === undefined ? [own.commit] : [source.commit, own.commit] });
    if (found.kind === 'main') return kept.main;
    if (found.kind === 'commit') return source?.commit === found.commit ? source : own;
    throw new HubRefusal(
      'unreachable',
      `the copy of ${modelId} on this node is not at the revision ${JSON.stringify(revision.slice(0, 100))}, and the store does not answer`,
    );
  };
  return {
    find,
    fits: async (modelId, said) => {
      const manifest = await copies.manifest(modelId);
      const info = readInfo(modelId, said);
      return manifest !== undefined && info !== undefined && isPartOf(manifest, info.upstream);
    },
    openSame: async (modelId, { path, etag, size }) => {
      const manifest = await copies.manifest(modelId);
      const file = manifest?.files.find(
        (one) => (path === undefined || one.path === path) && one.size === size && (etag.length === 64 ? one.sha256 : one.hub_id) === etag,
      );
      const opened = file === undefined ? undefined : await copies.open(modelId, file.path);
      if (file === undefined || opened === undefined) return undefined;
      if (opened.sha256 === file.sha256) return { ...opened, path: file.path };
      // It was replaced between two steps of this request.
      await opened[Symbol.asyncDispose]();
      return undefined;
    },
    repo: ({ id, revision = 'main' }) => repoAt(id, revision),
    facts: async (repo) => {
      const known = (await findKept(repo.id))?.facts;
      return known ?? (await readFacts(repo)) ?? { tags: [] };
    },
    list: async (signal) => {
      const found = await Promise.all(
        (await copies.list()).map(async (modelId) => {
          signal.throwIfAborted();
          const kept = (await isRefused(modelId)) ? undefined : await findKept(modelId).catch(() => undefined);
          if (kept === undefined) return [];
          const { id, commit, lastModified, createdAt, files } = kept.main;
          const { tags, libraryName, pipelineTag } = kept.facts ?? (await readFacts(kept.main)) ?? { tags: [] };
          const totalBytes = files.reduce((sum, { size, isHeld }) => sum + (isHeld ? size : 0), 0);
          return [{ id, commit, lastModified, createdAt, tags, libraryName, pipelineTag, totalBytes }];
        }),
      );
      return found.flat().toSorted((a, b) => (a.id < b.id ? -1 : 1));
    },
    head: async (repo, file) => {
      // Clients would cache the answer for a small file that they cannot get.
      if (!file.isHeld && file.size < smallBytes) throw absent(repo, file);
    },
    open: async (repo, file) => {
      const opened = file.isHeld && isRelativePath(file.path) ? await copies.open(repo.id, file.path) : undefined;
      if (opened === undefined) throw absent(repo, file);
      if (opened.sha256 === file.sha256) return { kind: 'file', file: opened };
      await opened[Symbol.asyncDispose]();
      throw new HubRefusal('busy', `the copy of ${repo.id} on this node has just changed: try again`);
    },
  };
}

/** A Hub's commit is only shown with its own listing, which must contain all files of the copy with the same content. */
function keptOf(manifest: Manifest, said: unknown): Kept {
  const info = readInfo(manifest.model_id, said);
  const fits = info !== undefined && isPartOf(manifest, info.upstream);
  const dated = fits ? { ...manifest, created_at: toTime(info.lastModified ?? manifest.created_at) } : manifest;
  const views = viewsOf({ manifest: dated, upstream: fits ? info.upstream : undefined });
  if (!fits || views.source === undefined) return { views, main: views.own, facts: undefined };
  const source = { ...views.source, createdAt: toTime(info.createdAt ?? info.lastModified) };
  return { views: { ...views, source }, main: source, facts: info.facts };
}

function isPartOf({ files }: Manifest, upstream: Upstream): boolean {
  const listed = new Map(upstream.files.map((file) => [file.path as string, file]));
  return files.every(({ path, size, sha256, hub_id }) => {
    const file = listed.get(path);
    return file !== undefined && file.size === size && (file.sha256 === undefined ? file.oid === hub_id : file.sha256 === sha256);
  });
}

function required(file: OpenFile | undefined): OpenFile {
  if (file === undefined) throw new Error('the copy does not have it');
  return file;
}

const awayWithout = (id: string): HubRefusal =>
  new HubRefusal('unreachable', `the store of this node does not answer, and without it this node cannot show ${id.slice(0, 200)}`);

const absent = ({ id, commit }: HubRepo, { path, size }: HubFile): HubRefusal =>
  new HubRefusal(
    size < smallBytes ? 'unreachable' : 'absent',
    `the copy of ${id} at ${commit.slice(0, 12)} on this node lacks ${JSON.stringify(path)}, and the store does not answer: try again when it does`,
  );
