import { listGroups } from '../../../catalog/selection/groups.ts';
import { SkulkError } from '../../../kernel/errors.ts';
import { quote, quoteSome } from '../../../kernel/files/relative-path.ts';
import type { ModelId } from '../../../kernel/model-id.ts';
import type { ScannedFile } from '../../../store/ingest/scan-directory.ts';

/**
 * No program can load a quantization with a missing shard, and nothing would add it later.
 * @throws SkulkError FILE_NOT_FOUND
 */
export function refuseHoles(files: readonly ScannedFile[], { path, modelId }: { readonly path: string; readonly modelId: ModelId }): void {
  const broken = listGroups(files).find(({ missingCount }) => missingCount > 0);
  if (broken === undefined) return;
  const more = broken.missingCount - broken.missing.length;
  throw new SkulkError(
    'FILE_NOT_FOUND',
    `${path} lacks ${broken.missing.map(quote).join(', ')}${more > 0 ? ` and ${more} more` : ''} of ${broken.selector}, so ${modelId} was not added`,
    { hint: `add the missing files, or remove ${quoteSome(broken.files.map((file) => file.path))}` },
  );
}
