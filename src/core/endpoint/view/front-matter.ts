import { parse } from 'yaml';
import type { HubFacts } from '../contract.ts';

/** A card has no longer front matter, and parsing one blocks other requests. */
const maxLength = 128 * 1024;
const maxTags = 500;

/**
 * Reads the front matter of a model card: YAML between two lines of `---` at its beginning. Empty for a card without one, or with an
 * invalid one. Pure. Source: https://huggingface.co/docs/hub/model-cards#model-card-metadata
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
    // Rejects values that JSON cannot represent, such as circular references, and values that grow too large through references.
    const json = JSON.stringify(value);
    return json.length > 8 * maxLength ? undefined : (JSON.parse(json) as Record<string, unknown>);
  } catch {
    return undefined;
  }
}
