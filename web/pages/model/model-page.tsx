import { type ReactElement, useState } from 'react';
import type { ShownModel } from '../../../src/core/protocol/models/shown-model.ts';
import { formatAddAddress } from '../../parts/address/add-address.ts';
import { useStore } from '../../parts/app-context.ts';
import { Button } from '../../parts/button.tsx';
import { CopyButton } from '../../parts/copy-button.tsx';
import { Empty } from '../../parts/empty.tsx';
import { Link } from '../../parts/link.tsx';
import { ModelName } from '../../parts/model-name.tsx';
import { Problem } from '../../parts/problem.tsx';
import { navigate } from '../../parts/route.ts';
import { useModel } from '../store/use-model.ts';
import { useVerify } from './details/verify.tsx';
import { HeldModel, ModelActions, ModelSummary } from './held-model.tsx';
import { ModelDialog, type Question } from './model-dialog.tsx';

/** One model: what it is, what can be done with it, what to type to use it, and what its authors say of it. */
export function ModelPage({ modelId }: { readonly modelId: string }): ReactElement {
  const { topics, status } = useStore();
  const entry = topics.registry?.entries.find(({ model_id }) => model_id === modelId);
  // A quantization that comes or goes changes its size, and not always its date.
  const stamp = entry && `${entry.downloaded_at} ${entry.total_bytes} ${entry.file_count}`;
  const isKnown = topics.registry !== undefined || status === 'lost';
  const { model, error } = useModel(modelId, isKnown ? (stamp ?? 'absent') : undefined);
  // The dialog stays when the model goes, to say what became of it.
  const [asked, setAsked] = useState<{ readonly model: ShownModel; readonly question: Question }>();
  const verifying = useVerify(modelId);
  const slash = modelId.indexOf('/');
  const onAsk = (question: Question): void => {
    if (model !== undefined) setAsked({ model, question });
  };
  return (
    <>
      <div className="page-head model-page-head">
        <div className="model-title">
          <nav aria-label="Where this is" className="muted">
            <Link to="/">Store</Link>
            {slash !== -1 && ` / ${modelId.slice(0, slash)}`}
          </nav>
          <h1 className="model-head">
            <ModelName id={modelId} /> <CopyButton text={modelId} what="the name of the model" />
          </h1>
          {model !== undefined && <ModelSummary model={model} />}
        </div>
        {model !== undefined && <ModelActions {...{ model, verifying, onAsk }} />}
      </div>
      {error?.code === 'MODEL_NOT_FOUND' && <NotHeld modelId={modelId} />}
      {error !== undefined && error.code !== 'MODEL_NOT_FOUND' && <Problem error={error} />}
      {model === undefined && error === undefined && <p className="muted loading">Loading from the store…</p>}
      {model !== undefined && <HeldModel {...{ model, verifying, onAsk }} />}
      {asked !== undefined && <ModelDialog {...asked} onClose={() => setAsked(undefined)} />}
    </>
  );
}

/** Leads to the page that adds the model. Hugging Face is asked only there: not every name is one to send. */
function NotHeld({ modelId }: { readonly modelId: string }): ReactElement {
  return (
    <section className="card">
      <Empty title={`${modelId} is not in the store`}>
        <Button
          tone="primary"
          icon="search"
          onClick={() => navigate(formatAddAddress({ words: '', asked: { modelId, revision: undefined, selector: undefined } }))}
        >
          Look on Hugging Face
        </Button>
      </Empty>
    </section>
  );
}
