import type { ReactElement, ReactNode } from 'react';
import { useLocks } from '../../../parts/access/locks.ts';
import { useApp, useNode, useStore } from '../../../parts/app-context.ts';
import { Button } from '../../../parts/button.tsx';
import { Command } from '../../../parts/command.tsx';
import { Icon } from '../../../parts/icon.tsx';
import { Progress } from '../../../parts/progress.tsx';
import { StageHere } from '../../model/details/stage-here.tsx';
import { ChoosePlace } from './choose-place.tsx';
import type { Guide } from './use-guide.ts';

/** The way from an empty machine to a staged model. */
export function Welcome({
  guide,
  onAdd,
  onStage,
}: {
  readonly guide: Guide;
  readonly onAdd: () => void;
  readonly onStage: (modelId: string) => void;
}): ReactElement {
  const { identity } = useApp();
  const { topics } = useStore();
  const node = useNode();
  const { models: lock } = useLocks();
  const { config, storage } = node.topics;
  const first = topics.registry?.entries[0]?.model_id;
  const download = topics.downloads?.downloads.find(({ status }) => status === 'downloading' || status === 'pending');
  const isSaved = config !== undefined && config.path !== null;
  // Until then what is added would lie in the directory that is about to be left.
  const isLeaving = config?.restart_because.includes('model_store.store_path') === true;
  const isStaged = (storage?.models.length ?? 0) > 0;
  const url = topics.health?.advertised?.url;
  return (
    <section className="card welcome" aria-labelledby="welcome">
      <h2 id="welcome">Welcome</h2>
      <p>
        This machine, <strong>{identity.hostname}</strong>, is now the store host: it keeps one verified copy of every model, and the other
        machines stage from it. Three steps bring the first model where you need it.
      </p>
      <ol className="steps">
        <Step title="Choose where the models are kept" isDone={isSaved}>
          {config !== undefined && <ChoosePlace view={config} />}
        </Step>
        <Step title="Add the first model" isDone={first !== undefined}>
          {first === undefined && download === undefined && (
            <Button icon="add" tone={isSaved ? 'primary' : 'plain'} disabled={isLeaving} lock={lock} onClick={onAdd}>
              Choose a model
            </Button>
          )}
          {first === undefined && isLeaving && <p className="muted">After the restart, so that it is saved in the new directory.</p>}
          {first === undefined && download !== undefined && (
            <>
              <p>{download.modelId}</p>
              <Progress label={`First download, ${download.modelId}`} {...download} />
            </>
          )}
          {first !== undefined && <p className="muted">{first} is in the store.</p>}
        </Step>
        <Step title="Stage it where you use it" isDone={isStaged}>
          {first !== undefined && <StageHere modelId={first} onStage={() => onStage(first)} />}
          <p className="muted">On any other machine, right before you load the model. The command prints the path of a verified copy:</p>
          <Command text={`SKULK_STORE=${url ?? 'http://THIS-MACHINE:58080'} skulk stage ${first ?? 'ORG/NAME'}`} />
        </Step>
      </ol>
      <div className="dialog-actions">
        <Button tone={isStaged ? 'primary' : 'quiet'} onClick={guide.dismiss}>
          {isStaged ? 'Done' : 'Skip the introduction'}
        </Button>
      </div>
    </section>
  );
}

function Step({
  title,
  isDone,
  children,
}: {
  readonly title: string;
  readonly isDone: boolean;
  readonly children: ReactNode;
}): ReactElement {
  return (
    <li className={isDone ? 'step done' : 'step'}>
      <h3>
        {title}
        {isDone && (
          <span className="step-done">
            <Icon name="check" /> done
          </span>
        )}
      </h3>
      {children}
    </li>
  );
}
