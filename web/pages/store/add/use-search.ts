import { useEffect, useState } from 'react';
import type { FoundModel, FoundModels } from '../../../../src/core/protocol/models.ts';
import { type ApiError, asApiError } from '../../../api/api-error.ts';
import { callOf } from '../../../api/call.ts';
import { useApp } from '../../../parts/app-context.ts';
import { isReference } from './is-reference.ts';

const pauseMs = 250;
const fewest = 2;
const shown = 20;

/** What a search of Hugging Face found. */
export interface Search {
  readonly models: readonly FoundModel[] | undefined;
  readonly error: ApiError | undefined;
  /** Whether the list is of what was typed before. */
  readonly isOld: boolean;
  /** Asks for more of them; undefined where there are no more. */
  readonly more: (() => void) | undefined;
}

/** Searches Hugging Face a moment after the last key; what was found stays until the next answer. */
export function useSearch(text: string, isWanted: boolean): Search {
  const { client } = useApp();
  const words = text.trim();
  const [found, setFound] = useState<{ readonly words: string; readonly models?: readonly FoundModel[]; readonly error?: ApiError }>();
  const [limit, setLimit] = useState({ words: '', count: shown });
  const count = limit.words === words ? limit.count : shown;
  const asks = isWanted && words.length >= fewest && !isReference(words);
  useEffect(() => {
    if (!asks) return;
    const ending = new AbortController();
    const timer = setTimeout(() => {
      client.get<FoundModels>(callOf('GET /store/hub', {}, { search: words, limit: count }), ending.signal).then(
        ({ models }) => setFound({ words, models }),
        (error: unknown) => {
          if (!ending.signal.aborted) setFound({ words, error: asApiError(error) });
        },
      );
    }, pauseMs);
    return () => {
      clearTimeout(timer);
      ending.abort();
    };
  }, [client, words, asks, count]);
  if (!asks) return { models: undefined, error: undefined, isOld: false, more: undefined };
  const mayHaveMore = found?.models !== undefined && found.models.length >= count && count < 100;
  return {
    models: found?.models,
    error: found?.words === words ? found.error : undefined,
    isOld: found?.words !== words,
    more: mayHaveMore ? () => setLimit({ words, count: 100 }) : undefined,
  };
}
