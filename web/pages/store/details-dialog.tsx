import type { ReactElement } from 'react';
import { useLocks } from '../../parts/access/locks.ts';
import { useStore } from '../../parts/app-context.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { ModelName } from '../../parts/model-name.tsx';
import { Problem } from '../../parts/problem.tsx';
import { FileList } from './details/file-list.tsx';
import { ModelFacts } from './details/model-facts.tsx';
import { StageHere } from './details/stage-here.tsx';
import { StagedList } from './details/staged-list.tsx';
import { Verify } from './details/verify.tsx';
import { useModel } from './use-model.ts';

/** Everything about one model, and what can be done with it. */
export function DetailsDialog({
  modelId,
  onStage,
  onDelete,
  onClose,
}: {
  readonly modelId: string;
  readonly onStage: (modelId: string) => void;
  readonly onDelete: () => void;
  readonly onClose: () => void;
}): ReactElement {
  const { topics } = useStore();
  const { models: lock } = useLocks();
  const entry = topics.registry?.entries.find(({ model_id }) => model_id === modelId);
  const { model, error } = useModel(modelId, entry?.downloaded_at);
  return (
    <Dialog title={<ModelName id={modelId} />} size="wide" onClose={onClose}>
      {error !== undefined && <Problem error={error} />}
      {model === undefined && error === undefined && <p className="muted">Loading…</p>}
      {model !== undefined && (
        <div className="stack">
          <ModelFacts model={model} />
          <div className="details-actions">
            <StageHere modelId={modelId} onStage={() => onStage(modelId)} />
            <Verify modelId={modelId} />
            <Button tone="danger" icon="trash" lock={lock} onClick={onDelete}>
              Delete…
            </Button>
          </div>
          {lock !== undefined && <p className="muted">{lock}</p>}
          <StagedList modelId={modelId} />
          <FileList model={model} />
        </div>
      )}
    </Dialog>
  );
}
