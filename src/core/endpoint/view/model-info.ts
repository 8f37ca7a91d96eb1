import { createHash } from 'node:crypto';
import type { HubFacts, HubListed, HubRepo } from '../contract.ts';
import { lastCommitOf, requireListing } from './tree.ts';

/** The common part of every model description; clients expect these fields even if they mean nothing here. */
function common({ id, commit, lastModified, createdAt }: Pick<HubRepo, 'id' | 'commit' | 'lastModified' | 'createdAt'>): object {
  const author = id.includes('/') ? { author: id.slice(0, id.indexOf('/')) } : {};
  return {
    // @huggingface/hub requires an id of 24 hex digits.
    _id: createHash('sha256').update(id).digest('hex').slice(0, 24),
    id,
    modelId: id,
    ...author,
    sha: commit,
    lastModified,
    private: false,
    // All clients with the right to read can read the store's files.
    gated: false,
    disabled: false,
    downloads: 0,
    likes: 0,
    createdAt,
  };
}

const factsOf = ({ tags, libraryName, pipelineTag }: Pick<HubFacts, 'tags' | 'libraryName' | 'pipelineTag'>): object => ({
  tags,
  ...(libraryName !== undefined && { library_name: libraryName }),
  ...(pipelineTag !== undefined && { pipeline_tag: pipelineTag }),
});

/**
 * A model in the format of `GET /api/models/{id}`. Pure.
 * @param withBlobs also include the size and the ids of each file
 * @throws HubRefusal unreachable if the listing is incomplete
 */
export function modelInfo(repo: HubRepo, facts: HubFacts, { withBlobs }: { readonly withBlobs: boolean }): object {
  requireListing(repo);
  return {
    ...common(repo),
    ...factsOf(facts),
    ...(facts.cardData !== undefined && { cardData: facts.cardData }),
    ...(facts.gguf !== undefined && { gguf: facts.gguf }),
    usedStorage: repo.files.reduce((sum, { size }) => sum + size, 0),
    siblings: repo.files.map(({ path, size, oid, lfs }) => ({
      rfilename: path,
      ...(withBlobs && {
        size,
        blobId: oid,
        ...(lfs !== undefined && { lfs: { sha256: lfs.sha256, size, pointerSize: lfs.pointerSize } }),
      }),
    })),
  };
}

/** A model in the list of models. Pure. */
export const listedInfo = (listed: HubListed): object => ({ ...common(listed), ...factsOf(listed), usedStorage: listed.totalBytes });

/**
 * The `refs` of a model: one branch, with the store's files. Pure.
 * @param withRequests also list the pull requests; huggingface_hub then fails without the list
 */
export const refsOf = ({ commit }: Pick<HubRepo, 'commit'>, { withRequests }: { readonly withRequests: boolean }): object => ({
  branches: [{ name: 'main', ref: 'refs/heads/main', targetCommit: commit }],
  converts: [],
  tags: [],
  ...(withRequests && { pullRequests: [] }),
});

/** The history of a model, which has one entry. Pure. */
export function commitsOf(repo: Pick<HubRepo, 'commit' | 'lastModified'>): readonly object[] {
  const { id, title, date } = lastCommitOf(repo);
  return [{ id, title, message: '', authors: [{ user: 'skulk' }], date }];
}

/** A search in the list of models. */
export interface ListQuery {
  /** All of its words must be in the id, ignoring case. */
  readonly search?: string | undefined;
  readonly author?: string | undefined;
  /** Required tags, including library and task. */
  readonly filters: readonly string[];
  readonly sort?: string | undefined;
  readonly isAscending?: boolean | undefined;
  readonly limit?: number | undefined;
}

/** The matching models, in the requested order, or by id. Pure. */
export function searchModels(models: readonly HubListed[], query: ListQuery): readonly HubListed[] {
  const words = (query.search ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  const author = query.author?.toLowerCase();
  const filters = query.filters.map((filter) => filter.toLowerCase());
  const found = models.filter((model) => {
    const id = model.id.toLowerCase();
    if (author !== undefined && !id.startsWith(`${author}/`)) return false;
    if (!words.every((word) => id.includes(word))) return false;
    const tags = [...model.tags, model.libraryName ?? '', model.pipelineTag ?? ''].map((tag) => tag.toLowerCase());
    return filters.every((filter) => tags.includes(filter));
  });
  const key =
    query.sort === 'lastModified' || query.sort === 'last_modified'
      ? 'lastModified'
      : query.sort === 'createdAt' || query.sort === 'created_at'
        ? 'createdAt'
        : undefined;
  // The Hub sorts by time with the newest first. Its other sort keys are the same for all models here.
  const sorted =
    key === undefined
      ? found
      : found.toSorted((a, b) => compare(a[key], b[key]) * (query.isAscending === true ? 1 : -1) || compare(a.id, b.id));
  return query.limit === undefined ? sorted : sorted.slice(0, query.limit);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
