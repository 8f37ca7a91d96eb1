import { useEffect, useState } from 'react';
import type { FoundModel, FoundModels } from '../../../src/core/protocol/models/found-models.ts';
import { type ApiError, asApiError } from '../../api/api-error.ts';
import { callOf } from '../../api/call.ts';
import { useApp } from '../../parts/app-context.ts';
import { isReference } from './is-reference.ts';

const pauseMs = 250;
const fewest = 2;
const shown = 20;

/** What a search of Hugging Face found. */
export interface Search {
  readonly models: readonly FoundModel[] | undefined;
  readonly error: ApiError | undefined;
  /** Whether the text is one that is looked for. */
  readonly isAsked: boolean;
  /** Whether the list is of what was typed before, or shorter than what was asked for. */
  readonly isOld: boolean;
  /** Asks for more of them; undefined where there are no more. */
  readonly more: (() => void) | undefined;
}

interface Found {
  readonly words: string;
  readonly count: number;
  readonly models?: readonly FoundModel[] | undefined;
  readonly error?: ApiError;
}

/** Searches Hugging Face a moment after the last key; what was found stays until the next answer. */
export function useSearch(text: string, isWanted: boolean): Search {
  const { client } = useApp();
  const words = text.trim();
  const [found, setFound] = useState<Found>();
  const [limit, setLimit] = useState({ words: '', count: shown });
  const count = limit.words === words ? limit.count : shown;
  const isAsked = isWanted && words.length >= fewest && !isReference(words);
  useEffect(() => {
    if (!isAsked) return;
    const ending = new AbortController();
    const timer = setTimeout(() => {
      client.get<FoundModels>(callOf('GET /store/hub', {}, { search: words, limit: count }), ending.signal).then(
        ({ models }) => setFound({ words, count, models }),
        (error: unknown) => {
          if (!ending.signal.aborted)
            setFound((before) => ({ words, count, models: before?.words === words ? before.models : undefined, error: asApiError(error) }));
        },
      );
    }, pauseMs);
    return () => {
      clearTimeout(timer);
      ending.abort();
    };
  }, [client, words, isAsked, count]);
  if (!isAsked) return { models: undefined, error: undefined, isAsked, isOld: false, more: undefined };
  const isOld = found?.words !== words || found.count !== count;
  const mayHaveMore = found?.models !== undefined && found.models.length >= count && count < 100;
  return {
    models: found?.models,
    error: isOld ? undefined : found.error,
    isAsked,
    isOld,
    more: mayHaveMore ? () => setLimit({ words, count: 100 }) : undefined,
  };
}
