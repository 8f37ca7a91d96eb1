import type { ReactElement } from 'react';
import type { ShownModel } from '../../../src/core/protocol/models/shown-model.ts';
import { useStore } from '../../parts/app-context.ts';
import { navigate } from '../../parts/route.ts';
import { PurgeDialog } from '../nodes/purge-dialog.tsx';
import { DeleteDialog } from '../store/delete-dialog.tsx';
import { OptimizeDialog } from '../store/optimize/optimize-dialog.tsx';

/** What is asked before something is done with a model; without a selector it is about the whole model. */
export type Question =
  | { readonly kind: 'optimize' }
  | { readonly kind: 'purge'; readonly selector: string }
  | { readonly kind: 'delete'; readonly selector?: string };

/** The dialog of a question about a model. */
export function ModelDialog({
  model,
  question,
  onClose,
}: {
  readonly model: ShownModel;
  readonly question: Question;
  readonly onClose: () => void;
}): ReactElement {
  const { topics } = useStore();
  const { model_id: modelId, quantizations = [], total_bytes } = model;
  const nodes = topics.nodes?.nodes ?? [];
  switch (question.kind) {
    case 'optimize':
      return (
        <OptimizeDialog
          modelId={modelId}
          onClose={(isStarted) => {
            onClose();
            if (isStarted) navigate('/');
          }}
        />
      );
    case 'purge':
      return <PurgeDialog target={{ node: undefined, modelId, selector: question.selector }} nodes={nodes} onClose={onClose} />;
    case 'delete': {
      const { selector } = question;
      const others = quantizations.flatMap((one) => (one.selector === selector ? [] : one.selector));
      const own = quantizations.find((one) => one.selector === selector)?.size_bytes ?? total_bytes;
      // With the last quantization everything else of the model goes too.
      const isWhole = selector === undefined || others.length === 0;
      return (
        <DeleteDialog
          named={{ modelId, selector }}
          bytes={isWhole ? total_bytes : own}
          others={others}
          nodes={nodes}
          onClose={(isDone) => {
            onClose();
            if (isDone && isWhole) navigate('/', { replace: true });
          }}
        />
      );
    }
  }
}
