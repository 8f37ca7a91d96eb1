import { SkulkError } from '../kernel/errors.ts';
import type { ModelRef } from '../kernel/model-id.ts';
import { formatBytes } from '../kernel/units.ts';
import type { Manifest } from '../protocol/manifest.ts';
import { totalBytes } from './manifest.ts';

/**
 * Whether a manifest is of the revision that was asked for; any will do when none was. A model that was added without one counts as `main`,
 * which every pasted address of a page has.
 */
export const hasRevision = ({ revision }: ModelRef, { revision: own, commit }: Manifest): boolean =>
  revision === undefined || revision === own || revision === commit || (revision === 'main' && own === null && commit === null);

/**
 * Refuses a manifest of another revision than the one that was asked for.
 * @throws SkulkError REVISION_NOT_FOUND
 */
export function checkRevision(ref: ModelRef, manifest: Manifest): void {
  if (hasRevision(ref, manifest)) return;
  const { modelId, revision } = ref;
  const has = manifest.revision ?? manifest.commit;
  throw new SkulkError(
    'REVISION_NOT_FOUND',
    `${modelId} is here ${has === null ? 'without a revision' : `at ${has}`}, not at ${revision}`,
    {
      hint: `add that revision to the store with \`skulk add PATH --as ${modelId} --revision ${revision}\`, or omit @${revision} (${formatBytes(totalBytes(manifest.files))})`,
    },
  );
}
