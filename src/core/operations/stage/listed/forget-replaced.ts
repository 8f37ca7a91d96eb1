import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RelativePath } from '../../../kernel/files/relative-path.ts';
import { patient, retrying } from '../../../kernel/flow/backoff.ts';
import type { PlannedFile } from '../../../sources/joined-file.ts';
import { arrivedBlocks, readArrived } from '../../../transfer/arrived-blocks.ts';
import type { FromList } from './measure-listed.ts';

/**
 * Removes data of files that the store has replaced since an earlier try, so that no file becomes a mixture of both. For each file
 * without an expected digest, the last received block is fetched again and compared.
 */
export async function forgetReplaced(
  files: readonly PlannedFile[],
  {
    place,
    journal,
    source,
    model,
    signal,
  }: {
    readonly place: string;
    readonly journal: string;
    readonly source: FromList['files'];
    readonly model: FromList['model'];
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { isTransient } = await import('../../../client/http/transient.ts');
  const arrived = await readArrived(journal);
  for (const { path, size, promise } of files) {
    if (promise?.kind !== 'arrival') continue;
    const last = arrivedBlocks({ path, size, id: promise }, arrived).at(-1);
    if (last === undefined) continue;
    const hashNow = async (): Promise<string> => {
      const hash = createHash('sha256');
      for await (const bytes of source.read({ ...model, path: path as RelativePath, size }, last, signal)) hash.update(bytes);
      return hash.digest('hex');
    };
    const now = await retrying(hashNow, { policy: patient, signal, isTransient });
    if (now !== last.sha256) await rm(join(place, path), { force: true });
  }
}
