import { isNestedDeeper } from '../../kernel/is-nested-deeper.ts';
import type { ListingAbout } from '../source.ts';

/** The model data of the Hub's library. It comes from the network and is not validated. */
interface HubModelInfo {
  readonly private?: unknown;
  readonly gated?: unknown;
  readonly updatedAt?: unknown;
  readonly createdAt?: unknown;
  readonly tags?: unknown;
  readonly library_name?: unknown;
  readonly task?: unknown;
  readonly cardData?: unknown;
}

const maxTags = 500;
const maxCardBytes = 64 * 1024;
/** No card has objects and lists within each other to this depth. */
const maxCardDepth = 64;

/** Data about a model beside its files. Omits invalid values. Pure. */
export function aboutOf(info: HubModelInfo): ListingAbout {
  const lastModified = timeOf(info.updatedAt);
  const createdAt = timeOf(info.createdAt);
  const libraryName = wordOf(info.library_name);
  const pipelineTag = wordOf(info.task);
  const cardData = cardOf(info.cardData);
  const tags = Array.isArray(info.tags) ? info.tags.map(wordOf).filter((tag) => tag !== undefined) : [];
  return {
    // A model without these fields is public.
    isRestricted: info.private === true || (info.gated !== undefined && info.gated !== null && info.gated !== false),
    ...(lastModified !== undefined && { lastModified }),
    ...(createdAt !== undefined && { createdAt }),
    ...(tags.length > 0 && { tags: tags.slice(0, maxTags) }),
    ...(libraryName !== undefined && { libraryName }),
    ...(pipelineTag !== undefined && { pipelineTag }),
    ...(cardData !== undefined && { cardData }),
  };
}

function timeOf(value: unknown): string | undefined {
  const time = value instanceof Date ? value : typeof value === 'string' ? new Date(value) : undefined;
  return time !== undefined && Number.isFinite(time.getTime()) ? time.toISOString() : undefined;
}

const wordOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' && value.length <= 200 && !/\p{Cc}/u.test(value) ? value : undefined;

function cardOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return !isNestedDeeper(value, maxCardDepth) && JSON.stringify(value).length <= maxCardBytes
    ? (value as Record<string, unknown>)
    : undefined;
}
