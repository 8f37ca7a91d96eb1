import type { ReactElement } from 'react';
import type { ShownModel } from '../../../src/core/protocol/models/shown-model.ts';
import { useLocks } from '../../parts/access/locks.ts';
import { useIsPythonHost, useNode } from '../../parts/app-context.ts';
import { Tags } from '../../parts/badge.tsx';
import { Button } from '../../parts/button.tsx';
import { Icon } from '../../parts/icon.tsx';
import { mayOptimize } from '../store/optimize/may-optimize.ts';
import { olderParts } from '../store/quantizations.ts';
import { FileList } from './details/file-list.tsx';
import { ModelFacts } from './details/model-facts.tsx';
import { QuantizationList } from './details/quantization-list.tsx';
import { StagedList } from './details/staged-list.tsx';
import { VerifyButton, type Verifying, VerifyOutcome } from './details/verify.tsx';
import type { Question } from './model-dialog.tsx';
import { ReadmeCard } from './readme-card.tsx';
import { StageButton } from './stage-on/stage-button.tsx';
import { UseIt } from './use-it.tsx';

/** What is known of a model in the store, below its name. */
export function ModelSummary({ model }: { readonly model: ShownModel }): ReactElement | null {
  const summary = summaryOf(model);
  if (summary === '' && model.tags.length === 0) return null;
  return (
    <div className="model-summary">
      {summary !== '' && <p className="muted">{summary}</p>}
      <Tags tags={model.tags} />
    </div>
  );
}

/** What can be done with a model in the store. */
export function ModelActions({
  model,
  verifying,
  onAsk: setQuestion,
}: {
  readonly model: ShownModel;
  readonly verifying: Verifying;
  /** Opens the dialog of a question. */
  readonly onAsk: (question: Question) => void;
}): ReactElement {
  const { model_id: modelId } = model;
  const { models: lock } = useLocks();
  const isPython = useIsPythonHost();
  return (
    <div className="model-actions">
      <StageButton
        tone="primary"
        what={{
          modelId,
          bytes: model.total_bytes,
          parts: (model.quantizations ?? []).map(({ selector, size_bytes }) => ({ selector, bytes: size_bytes })),
        }}
      />
      {!isPython && <VerifyButton verifying={verifying} />}
      {mayOptimize(model) && (
        <Button icon="squeeze" lock={lock} onClick={() => setQuestion({ kind: 'optimize' })}>
          Optimize…
        </Button>
      )}
      <Button icon="trash" lock={lock} onClick={() => setQuestion({ kind: 'delete' })}>
        Delete…
      </Button>
    </div>
  );
}

/** A model that is in the store: its copies beside its quantizations, its use, its README and its files. */
export function HeldModel({
  model,
  verifying,
  onAsk: setQuestion,
}: {
  readonly model: ShownModel;
  readonly verifying: Verifying;
  /** Opens the dialog of a question. */
  readonly onAsk: (question: Question) => void;
}): ReactElement {
  const { models: lock } = useLocks();
  return (
    <>
      {lock !== undefined && <p className="muted">{lock}</p>}
      <VerifyOutcome modelId={model.model_id} fileCount={model.files.length} verifying={verifying} />
      <Unloadable model={model} />
      <div className="model-columns">
        <div className="model-main">
          <QuantizationList
            model={model}
            onPurge={(selector) => setQuestion({ kind: 'purge', selector })}
            onDelete={(selector) => setQuestion({ kind: 'delete', selector })}
          />
          <UseIt model={model} />
          <ReadmeCard model={model} />
          <FileList model={model} />
        </div>
        {/* What comes and goes by itself is here: above the quantizations it would move them under the pointer. */}
        <div className="model-rail">
          <OlderHere model={model} />
          <StagedList model={model} />
          <section className="card" aria-label="Facts">
            <ModelFacts model={model} />
          </section>
        </div>
      </div>
    </>
  );
}

/** What stands below the name: what is known of its size and its terms. Pure. */
function summaryOf({ parameters, context_length, license, family }: ShownModel): string {
  return [
    ...(parameters === null ? [] : [`${parameters.toLocaleString('en')} parameters`]),
    ...(context_length === null ? [] : [`context ${context_length.toLocaleString('en')}`]),
    ...(license === null ? [] : [`license ${license}`]),
    ...(family === null ? [] : [family]),
  ].join(' · ');
}

/** Says why no program can load the model, or which of its quantizations. */
function Unloadable({ model: { problems = [] } }: { readonly model: ShownModel }): ReactElement | null {
  if (problems.length === 0) return null;
  return (
    <div className="callout bad">
      <Icon name="warning" />
      <div>
        {[...Map.groupBy(problems, ({ selector }) => selector)].map(([selector, own]) => (
          <div key={selector}>
            <p>No program can load {selector ?? 'this model'}. Add or download intact and complete files.</p>
            <ul className="plain">
              {own.map(({ path, reason }) => (
                <li key={path}>
                  <code>{path}</code>: {reason}
                </li>
              ))}
            </ul>
          </div>
        ))}
      </div>
    </div>
  );
}

/** Says that the copy on this machine has other content than the store. */
function OlderHere({ model }: { readonly model: ShownModel }): ReactElement | null {
  const own = useNode().topics.storage?.models.find(({ model_id }) => model_id === model.model_id);
  const older = own === undefined ? [] : olderParts(own, model);
  if (older.length === 0) return null;
  return (
    <div className="callout warn">
      <Icon name="warning" />
      <p>
        On this machine, {older.join(', ')} {older.length === 1 ? 'is' : 'are'} older than in the store. Stage again to update.
      </p>
    </div>
  );
}
