import { parseUpstream, type Upstream } from '../../catalog/upstream.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { HubFacts } from '../contract.ts';

/** A store's Hub answer about a model, as saved by a node. */
export interface KeptInfo {
  readonly upstream: Upstream;
  readonly lastModified: string | undefined;
  readonly createdAt: string | undefined;
  readonly facts: HubFacts;
}

const maxTags = 500;

/**
 * Parses the answer to `GET /api/models/{id}?blobs=true`, with all files of the model and their ids. Undefined for anything else. The
 * result is only trusted after a comparison with a copy. Pure.
 */
export function readInfo(modelId: ModelId, value: unknown): KeptInfo | undefined {
  const info = objectOf(value);
  const { sha, siblings, lastModified, createdAt, tags, library_name, pipeline_tag, cardData, gguf } = info;
  const files = Array.isArray(siblings)
    ? siblings.map((one: unknown) => {
        const { rfilename, size, blobId, lfs } = objectOf(one);
        return { path: rfilename, size, oid: blobId, sha256: objectOf(lfs)['sha256'] };
      })
    : undefined;
  const upstream = parseUpstream({ repo: modelId, commit: sha, files });
  if (upstream === undefined) return undefined;
  return {
    upstream,
    lastModified: textOf(lastModified),
    createdAt: textOf(createdAt),
    facts: {
      tags: Array.isArray(tags) ? tags.filter((tag): tag is string => typeof tag === 'string').slice(0, maxTags) : [],
      libraryName: textOf(library_name),
      pipelineTag: textOf(pipeline_tag),
      ...(isObject(cardData) && { cardData }),
      ...(isObject(gguf) && { gguf }),
    },
  };
}

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const objectOf = (value: unknown): Json => (isObject(value) ? value : {});
const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
