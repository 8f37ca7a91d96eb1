import { join } from 'node:path';
import { findContentProblems } from '../../catalog/contents/find-content-problems.ts';
import { findUnloadable } from '../../catalog/contents/unloadable.ts';
import type { Deps } from '../../connect/deps.ts';
import type { ModelProblem } from '../../protocol/models/entries.ts';
import type { StagingList } from '../../protocol/staging.ts';
import { readCopyRecord } from '../../staging/copy-record.ts';
import { listStaging } from './list-staging.ts';

type ListedCopy = StagingList['models'][number];

/** This node's copies, and why no program can load some of them. */
export interface StagingWithProblems extends Omit<StagingList, 'models'> {
  readonly models: readonly (ListedCopy & { readonly problems?: readonly ModelProblem[] })[];
}

/** Lists this node's copies with their problems. It reads the heads of all weights, so a list that is sent repeatedly does without them. */
export async function listStagingWithProblems(deps: Pick<Deps, 'config' | 'world'>): Promise<StagingWithProblems> {
  const list = await listStaging(deps);
  const models: StagingWithProblems['models'][number][] = [];
  for (const model of list.models) {
    const problems = await problemsOf(model, deps.world.signal);
    models.push(problems.length === 0 ? model : { ...model, problems });
  }
  return { ...list, models };
}

/** Empty for a copy without a record, which the Python Skulk made. */
async function problemsOf({ directory, quantizations }: ListedCopy, signal: AbortSignal): Promise<readonly ModelProblem[]> {
  const record = await readCopyRecord(directory);
  if (record === undefined) return [];
  const { files } = record.manifest;
  const found = await findContentProblems(
    files.map(({ path, size }) => ({ path, size, absolute: join(directory, path) })),
    signal,
  );
  // A copy with one of several quantizations is named by it.
  const [one, other] = quantizations;
  const only = other === undefined ? (one?.selector ?? null) : null;
  return findUnloadable(files, found).map((problem) => ({ ...problem, selector: problem.selector ?? only }));
}
