import { totalBytes } from '../../../catalog/manifest.ts';
import { bytesStillNeeded } from '../../../sources/fetch-planned.ts';
import { incomingCopy } from '../../../staging/layout.ts';
import type { LocalCopy } from '../../../staging/local-copy.ts';
import { measureSpaceFor, nameLoaded } from '../describe-outcome.ts';
import type { ModelStage, StageOutcome } from '../model-stage.ts';
import { type FromList, measureListed } from './measure-listed.ts';

/** The report of `--dry-run` for a store without manifests. It is not known which parts are already here. */
export async function describeListedPlan(stage: ModelStage, answer: FromList, local: LocalCopy | undefined): Promise<StageOutcome> {
  const { ref, layout, path } = stage;
  const { files, group } = await measureListed(stage, answer, answer.model);
  const bytes = totalBytes(files);
  const needed = await bytesStillNeeded(incomingCopy(layout, ref.modelId).files, { total: bytes, files, present: local });
  return {
    companions: stage.card?.companions ?? answer.companions,
    files,
    group,
    planned: {
      model_id: ref.modelId,
      path,
      source: 'store',
      ...nameLoaded(files, group),
      bytes_total: bytes,
      bytes_to_transfer: bytes,
      bytes_to_reuse: 0,
      ...(await measureSpaceFor(layout.root, needed)),
      files: files.map((file) => ({ ...file, action: 'fetch' })),
    },
  };
}
