import { parse } from 'yaml';
import type { HubFacts } from '../contract.ts';

/** A front matter that is longer belongs to no card; reading one takes time in which nobody else is served. */
const maxLength = 128 * 1024;
const maxTags = 500;

/**
 * What the model card says in its front matter: YAML between two lines of `---` at its beginning. A card without one, or with one that
 * cannot be read, says nothing. Pure. Source: https://huggingface.co/docs/hub/model-cards#model-card-metadata
 */
export function readFrontMatter(card: string): HubFacts {
  const nothing: HubFacts = { tags: [] };
  const [, text] = /^\uFEFF?---[ \t]*\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)/.exec(card.slice(0, maxLength)) ?? [];
  if (text === undefined) return nothing;
  const value = parseYaml(text);
  if (value === undefined) return nothing;
  const { tags, library_name: libraryName, pipeline_tag: pipelineTag } = value;
  return {
    tags: Array.isArray(tags) ? tags.filter((tag): tag is string => typeof tag === 'string').slice(0, maxTags) : [],
    ...(typeof libraryName === 'string' && { libraryName }),
    ...(typeof pipelineTag === 'string' && { pipelineTag }),
    cardData: value,
  };
}

function parseYaml(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = parse(text, { schema: 'core', maxAliasCount: 100, logLevel: 'error', uniqueKeys: false });
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    // What JSON cannot say, such as references in a circle, no client can be sent; nor what grows out of references.
    const json = JSON.stringify(value);
    return json.length > 8 * maxLength ? undefined : (JSON.parse(json) as Record<string, unknown>);
  } catch {
    return undefined;
  }
}
