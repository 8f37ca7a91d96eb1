import { useEffect, useState } from 'react';
import type { ShownModel } from '../../../src/core/protocol/models.ts';
import { useApp } from '../../parts/app-context.ts';

/** As many bytes of a README are shown. */
const maxBytes = 200_000;

/** A README as far as it is shown. */
export interface ReadmeText {
  readonly path: string;
  readonly text: string;
  /** Whether more of it is in the store. */
  readonly isCut: boolean;
}

/** What a README is called, the best first. */
const names = [/^readme\.md$/i, /^readme\.markdown$/i, /^readme(?:\.txt)?$/i];

/** The file of a model that is its README; undefined when it has none. Pure. */
export const findReadme = (files: ShownModel['files']): ShownModel['files'][number] | undefined => {
  for (const name of names) {
    const found = files.find(({ path }) => name.test(path));
    if (found !== undefined) return found;
  }
  return undefined;
};

/** What stands before the path of a file in the URL of its bytes. */
export const filesOf = (modelId: string): string => `/${modelId.split('/').map(encodeURIComponent).join('/')}/resolve/main/`;

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
