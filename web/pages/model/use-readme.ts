import { useEffect, useState } from 'react';
import type { ShownModel } from '../../../src/core/protocol/models/shown-model.ts';
import { useApp } from '../../parts/app-context.ts';
import { filesOf, findReadme } from './find-readme.ts';

/** As many bytes of a README are shown. */
const maxBytes = 200_000;

/** A README as far as it is shown. */
export interface ReadmeText {
  readonly path: string;
  readonly text: string;
  /** Whether more of it is in the store. */
  readonly isCut: boolean;
}

/** The README of a model; `none` when it has none or when it cannot be read, undefined while it comes. */
export function useReadme(model: ShownModel | undefined): ReadmeText | 'none' | undefined {
  const { client } = useApp();
  const [readme, setReadme] = useState<ReadmeText | 'none'>();
  const file = model === undefined ? undefined : findReadme(model.files);
  const { path, size, sha256 } = file ?? {};
  const modelId = model?.model_id;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another digest means another text.
  useEffect(() => {
    if (modelId === undefined) return;
    if (path === undefined) return setReadme('none');
    const ending = new AbortController();
    client.text(`${filesOf(modelId)}${encodeURIComponent(path)}`, { maxBytes, signal: ending.signal }).then(
      (text) => setReadme({ path, text, isCut: (size ?? 0) > maxBytes }),
      () => {
        if (!ending.signal.aborted) setReadme('none');
      },
    );
    return () => ending.abort();
  }, [client, modelId, path, sha256, size]);
  return readme;
}
