import { useEffect, useState } from 'react';
import type { ShownModel } from '../../../../core/protocol/models/shown-model.ts';
import { explain } from '../../parts/explain.ts';

/** What the store says about a model, or why it cannot; nothing yet at first. */
export interface AskedModel {
  readonly model: ShownModel | undefined;
  readonly problem: string | undefined;
}

/** @param stamp fetches again when it changes */
export function useShownModel(ask: () => Promise<ShownModel>, stamp: string): AskedModel {
  const [state, setState] = useState<AskedModel>({ model: undefined, problem: undefined });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the stamp says when the answer would be another
  useEffect(() => {
    let isOver = false;
    ask().then(
      (model) => isOver || setState({ model, problem: undefined }),
      (error: unknown) => isOver || setState(({ model }) => ({ model, problem: explain(error).message })),
    );
    return () => {
      isOver = true;
    };
  }, [stamp]);
  return state;
}
