import type { Deps } from '../../connect/deps.ts';
import { findOtherStores } from '../../connect/discover.ts';
import { describeFailure } from '../../kernel/explain-system-error.ts';
import { isThere } from '../../kernel/files/is-there.ts';
import type { Emit } from '../../kernel/flow/events.ts';

/**
 * Warns of other stores on the LAN: a machine without an explicit role may have been intended as a node. At the first start, the warning
 * comes before a store is created.
 * @param report called with a message that comes before the server is ready
 */
export async function warnOfOtherStores(deps: Deps, report: Emit): Promise<void> {
  const { isStoreNamed, settings } = deps.config;
  if (isStoreNamed) return;
  const search = async (emit: Emit): Promise<void> => {
    const others = await findOtherStores(deps);
    if (others.length === 0) return;
    emit({
      type: 'warning',
      message: `there is already another store on the LAN: ${others.join(', ')}; this machine serves a second one with its own models`,
      hint: 'to be a node of the other one, stop this server and run `skulk serve --role node`',
    });
  };
  const isFirst = !(await isThere(settings.storePath.value));
  const searching = search(isFirst ? report : deps.world.emit).catch((error: unknown) => {
    if (!deps.world.signal.aborted) deps.world.emit({ type: 'note', message: describeFailure('cannot search for other stores', error) });
  });
  if (isFirst) await searching;
}
