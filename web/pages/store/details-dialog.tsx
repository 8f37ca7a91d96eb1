import type { ReactElement } from 'react';
import { useLocks } from '../../parts/access/locks.ts';
import { useNode, useStore } from '../../parts/app-context.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Link } from '../../parts/link.tsx';
import { ModelName } from '../../parts/model-name.tsx';
import { pathOfModel } from '../../parts/model-path.ts';
import { Problem } from '../../parts/problem.tsx';
import { FileList } from './details/file-list.tsx';
import { ModelFacts } from './details/model-facts.tsx';
import { QuantizationList } from './details/quantization-list.tsx';
import { StageHere } from './details/stage-here.tsx';
import { StagedList } from './details/staged-list.tsx';
import { Verify } from './details/verify.tsx';
import { mayOptimize } from './optimize/may-optimize.ts';
import { olderParts } from './quantizations.ts';
import { useModel } from './use-model.ts';

/** Everything about one model, and what can be done with it. */
export function DetailsDialog({
  modelId,
  onAdd,
  onOptimize,
  onStage,
  onPurge,
  onDelete,
  onClose,
}: {
  readonly modelId: string;
  readonly onAdd: () => void;
  readonly onOptimize: () => void;
  readonly onStage: (modelId: string, selector?: string) => void;
  readonly onPurge: (selector: string) => void;
  /** @param quantization the whole model when undefined */
  readonly onDelete: (quantization?: { readonly selector: string; readonly bytes: number; readonly others: readonly string[] }) => void;
  readonly onClose: () => void;
}): ReactElement {
  const { topics } = useStore();
  const own = useNode().topics.storage?.models.find(({ model_id }) => model_id === modelId);
  const { models: lock } = useLocks();
  const entry = topics.registry?.entries.find(({ model_id }) => model_id === modelId);
  // A quantization that comes or goes changes its size, and not always its date.
  const { model, error } = useModel(modelId, entry && `${entry.downloaded_at} ${entry.total_bytes} ${entry.file_count}`);
  const older = own === undefined || model === undefined ? [] : olderParts(own, model);
  const deleteOne = (selector: string): void => {
    const all = model?.quantizations ?? [];
    const others = all.flatMap((one) => (one.selector === selector ? [] : one.selector));
    // With the last one everything else of the model goes too.
    const own = all.find((one) => one.selector === selector)?.size_bytes ?? 0;
    onDelete({ selector, bytes: others.length === 0 ? (model?.total_bytes ?? own) : own, others });
  };
  return (
    <Dialog title={<ModelName id={modelId} />} size="wide" onClose={onClose}>
      {error !== undefined && <Problem error={error} />}
      {model === undefined && error === undefined && <p className="muted">Loading…</p>}
      {model !== undefined && (
        <div className="stack">
          <ModelFacts model={model} />
          <p>
            <Link to={pathOfModel(modelId)}>Its README, and what to type to use it</Link>
          </p>
          <div className="details-actions">
            <StageHere modelId={modelId} onStage={() => onStage(modelId)} />
            <Verify modelId={modelId} />
            {mayOptimize(model) && (
              <Button lock={lock} onClick={onOptimize}>
                Optimize…
              </Button>
            )}
            <Button tone="danger" icon="trash" lock={lock} onClick={() => onDelete()}>
              Delete…
            </Button>
          </div>
          {older.length > 0 && (
            <p className="callout warn">
              On this machine, {older.join(', ')} {older.length === 1 ? 'is' : 'are'} older than in the store. Stage again to update.
            </p>
          )}
          {lock !== undefined && <p className="muted">{lock}</p>}
          <QuantizationList
            model={model}
            onAdd={onAdd}
            onStage={(selector) => onStage(modelId, selector)}
            onPurge={onPurge}
            onDelete={deleteOne}
          />
          <StagedList model={model} />
          <FileList model={model} />
        </div>
      )}
    </Dialog>
  );
}
