import { lazy, type ReactElement, Suspense, useMemo } from 'react';
import type { ShownModel } from '../../../src/core/protocol/models.ts';
import { useStore } from '../../parts/app-context.ts';
import { CopyButton } from '../../parts/copy-button.tsx';
import { formatBytes } from '../../parts/format.ts';
import { Link } from '../../parts/link.tsx';
import { ModelName } from '../../parts/model-name.tsx';
import { Problem } from '../../parts/problem.tsx';
import { FileList } from '../store/details/file-list.tsx';
import { ModelFacts } from '../store/details/model-facts.tsx';
import { useModel } from '../store/use-model.ts';
import { filesOf } from './find-readme.ts';
import { StoredQuantizations } from './stored-quantizations.tsx';
import { UseIt } from './use-it.tsx';
import { useReadme } from './use-readme.ts';

// What reads Markdown is as large as the rest of the page.
const Readme = lazy(async () => ({ default: (await import('../../parts/readme/readme.tsx')).Readme }));

/** One model: what it is, what to type to use it, and what its authors say of it. */
export function ModelPage({ modelId }: { readonly modelId: string }): ReactElement {
  const { topics } = useStore();
  const entry = topics.registry?.entries.find(({ model_id }) => model_id === modelId);
  const { model, error } = useModel(modelId, entry && `${entry.downloaded_at} ${entry.total_bytes} ${entry.file_count}`);
  const slash = modelId.indexOf('/');
  return (
    <>
      <nav aria-label="Where this is" className="muted">
        <Link to="/">Store</Link>
        {slash !== -1 && ` / ${modelId.slice(0, slash)}`}
      </nav>
      <div className="page-head">
        <h1 className="model-head">
          <ModelName id={modelId} /> <CopyButton text={modelId} what="the name of the model" />
        </h1>
        {model !== undefined && <Link to={`/?model=${encodeURIComponent(modelId)}`}>Stage, verify or delete it</Link>}
      </div>
      {error !== undefined && <Problem error={error} />}
      {model === undefined && error === undefined && <p className="muted loading">Asking the store…</p>}
      {model !== undefined && <Held model={model} />}
    </>
  );
}

function Held({ model }: { readonly model: ShownModel }): ReactElement {
  return (
    <>
      <section className="card" aria-label="Facts">
        <ModelFacts model={model} />
      </section>
      <UseIt model={model} />
      <StoredQuantizations {...model} />
      <ReadmeCard model={model} />
      <div className="card">
        <FileList model={model} />
      </div>
    </>
  );
}

function ReadmeCard({ model }: { readonly model: ShownModel }): ReactElement {
  const readme = useReadme(model);
  const { model_id: modelId, source, files } = model;
  const place = useMemo(
    () => ({
      files: filesOf(modelId),
      paths: new Set(files.map(({ path }) => path)),
      source: source === 'hub' ? `https://huggingface.co/${modelId}/` : undefined,
      folder: '',
    }),
    [modelId, source, files],
  );
  return (
    <section className="card" aria-labelledby="readme">
      <h2 id="readme">README</h2>
      {readme === undefined && <p className="muted">Loading…</p>}
      {readme === 'none' && <p className="muted">This model has no README in the store.</p>}
      {typeof readme === 'object' && (
        <Suspense fallback={<p className="muted">Loading…</p>}>
          <Readme text={readme.text} place={place} />
          {readme.isCut && (
            <p className="muted">
              This is its beginning. <code>{readme.path}</code> is too long to be shown whole ({formatBytes(sizeOf(model, readme.path))}).
            </p>
          )}
        </Suspense>
      )}
    </section>
  );
}

const sizeOf = ({ files }: ShownModel, path: string): number => files.find((one) => one.path === path)?.size ?? 0;
