import { type ReactElement, useEffect } from 'react';
import { modelPath } from '../../api/client.ts';
import type { ShownModel } from '../../api/shapes.ts';
import { useApp, useStore } from '../../parts/app-context.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { ModelName } from '../../parts/model-name.tsx';
import { Problem } from '../../parts/problem.tsx';
import { useTask } from '../../parts/use-task.ts';
import { FileList } from './details/file-list.tsx';
import { ModelFacts } from './details/model-facts.tsx';
import { StageHere } from './details/stage-here.tsx';
import { StagedList } from './details/staged-list.tsx';
import { Verify } from './details/verify.tsx';

/** A model that is being hashed for the first time is looked at so often. */
const hashingMs = 2_000;

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
  const { client } = useApp();
  const { topics } = useStore();
  const entry = topics.registry?.entries.find(({ model_id }) => model_id === modelId);
  const { start, result: model, error } = useTask<ShownModel>();
  // Whatever replaces the model has another date.
  const version = entry?.downloaded_at;
  const isHashing = model?.hashed === false;
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is read anew when the model is another one.
  useEffect(() => {
    const read = (): void => void start((signal) => client.get<ShownModel>(modelPath('/store/models', modelId), signal));
    read();
    const timer = isHashing ? setInterval(read, hashingMs) : undefined;
    return () => clearInterval(timer);
  }, [client, modelId, version, isHashing, start]);
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
            <Button tone="danger" icon="trash" onClick={onDelete}>
              Delete…
            </Button>
          </div>
          <StagedList modelId={modelId} />
          <FileList model={model} />
        </div>
      )}
    </Dialog>
  );
}
