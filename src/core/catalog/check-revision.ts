import { SkulkError } from '../kernel/errors.ts';
import type { ModelRef } from '../kernel/model-id.ts';
import { formatBytes } from '../kernel/units.ts';
import type { Manifest } from '../protocol/manifest.ts';
import { totalBytes } from './manifest.ts';

/**
 * Whether a manifest has the requested revision; every manifest matches if there is none. A model that was added without a revision
 * counts as `main`, because every pasted page address has that.
 */
export const hasRevision = ({ revision }: ModelRef, { revision: own, commit }: Manifest): boolean =>
  revision === undefined || revision === own || revision === commit || (revision === 'main' && own === null && commit === null);

/**
 * Rejects a manifest with another revision than the requested one.
 * @throws SkulkError REVISION_NOT_FOUND
 */
export function checkRevision(ref: ModelRef, manifest: Manifest): void {
  if (hasRevision(ref, manifest)) return;
  const { modelId, revision } = ref;
  const has = manifest.revision ?? manifest.commit;
  throw new SkulkError(
    'REVISION_NOT_FOUND',
    `${modelId} exists here ${has === null ? 'without a revision' : `at revision ${has}`}, not at ${revision}`,
    {
      hint: `add that revision to the store with \`skulk add PATH --as ${modelId} --revision ${revision}\`, or omit @${revision} (${formatBytes(totalBytes(manifest.files))})`,
    },
  );
}
