import { lazy, type ReactElement, Suspense, useMemo } from 'react';
import type { ShownModel } from '../../../src/core/protocol/models/shown-model.ts';
import { formatBytes } from '../../parts/format.ts';
import { Excerpt } from './excerpt.tsx';
import { filesOf, findReadme } from './find-readme.ts';
import { useReadme } from './use-readme.ts';

// What reads Markdown is as large as the rest of the page.
const Readme = lazy(async () => ({ default: (await import('../../parts/readme/readme.tsx')).Readme }));

/** What the authors of a model say of it. */
export function ReadmeCard({ model }: { readonly model: ShownModel }): ReactElement {
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
      {readme === 'none' && (
        <p className="muted">
          {source === 'python-store' && findReadme(files) !== undefined
            ? 'The README is shown when the model is staged on this machine.'
            : 'This model has no README in the store.'}
        </p>
      )}
      {typeof readme === 'object' && (
        <Suspense fallback={<p className="muted">Loading…</p>}>
          <Excerpt of={readme.path}>
            <Readme text={readme.text} place={place} />
            {readme.isCut && (
              <p className="muted">
                This is its beginning. <code>{readme.path}</code> is too long to be shown whole ({formatBytes(sizeOf(model, readme.path))}).
              </p>
            )}
          </Excerpt>
        </Suspense>
      )}
    </section>
  );
}

const sizeOf = ({ files }: ShownModel, path: string): number => files.find((one) => one.path === path)?.size ?? 0;
