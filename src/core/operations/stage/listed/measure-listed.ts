import type { RelativePath } from '../../../kernel/files/relative-path.ts';
import { patient, retrying } from '../../../kernel/flow/backoff.ts';
import { mapConcurrently } from '../../../kernel/flow/concurrency.ts';
import type { ListedModel } from '../../../store/listed-contract.ts';
import type { StoreAnswer } from '../ask/store-answer.ts';
import type { ModelStage } from '../model-stage.ts';
import { chooseListed } from './find-listed.ts';

/** The answer of a store without manifests. */
export type FromList = Extract<StoreAnswer, { state: 'listed' }>;

const questionsAtOnce = 8;

/** The files to stage, with their sizes; each size takes a request. @throws SkulkError FILE_NOT_FOUND, STORE_UNREACHABLE */
export async function measureListed(
  { deps: { world }, ref, options }: ModelStage,
  { files: source, pin }: Pick<FromList, 'files' | 'pin'>,
  model: ListedModel,
) {
  const { isTransient } = await import('../../../client/http/transient.ts');
  const { signal } = world;
  const part = chooseListed(ref, { model, pin, needs: options.needs });
  const files = await mapConcurrently(part.files, questionsAtOnce, async ({ path }) => ({
    path: path as RelativePath,
    size: await retrying(() => source.measure(model, path as RelativePath, signal), { policy: patient, signal, isTransient }),
  }));
  return { ...part, files };
}
