import type { Deps } from '../../connect/deps.ts';
import { hasSecond, readOtherStore } from '../../connect/second-store.ts';
import { plural } from '../../kernel/units.ts';
import { type Check, ok, warning } from './check.ts';

/** Whether the stores answer from which this machine reads while its own store cannot be reached; a check for each. */
export async function checkSecondStores(deps: Deps): Promise<readonly Check[]> {
  if (!hasSecond(deps)) return [];
  return await Promise.all(deps.config.secondStores.map((url) => checkOne(deps, url)));
}

async function checkOne(deps: Deps, url: string): Promise<Check> {
  const id = 'second store';
  const other = await readOtherStore(deps, url, 'SKULK_SECOND_TOKEN');
  if (other === undefined)
    return warning(id, `${url} does not answer`, 'start `skulk serve` there, or remove it from second_stores in machine.yaml');
  if (other.models === undefined)
    return warning(
      id,
      `${url} answers, but does not list its models`,
      'set SKULK_SECOND_TOKEN to a token of that store with the role read',
    );
  return ok(id, `${url} answers, and has ${plural(other.models.length, 'model')}`);
}
