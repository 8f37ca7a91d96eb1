import { searchAudit } from '../../access/audit-log.ts';
import type { Deps } from '../../connect/deps.ts';
import { type OpenedStore, openStore } from '../../connect/open-store.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { explainingDiskErrors } from '../../kernel/explain-system-error.ts';
import { nameAsker, namesOfAsker } from '../../protocol/describe/activity.ts';
import type { ActivityAction, ActivityEntry, AuditList } from '../../protocol/events.ts';
import type { KnownNode } from '../../protocol/fleet.ts';
import { storeLayout } from '../../store/layout.ts';

/** Which changes are wanted. */
export interface AuditQuery {
  /** ISO 8601; changes at this time or later. */
  readonly since?: string | undefined;
  readonly failed?: boolean | undefined;
  readonly kind?: ActivityAction | undefined;
  /** The name of a token or a user, an address, or the id or hostname of a machine, in any case. */
  readonly who?: string | undefined;
  /** The maximum number of entries. */
  readonly limit: number;
}

/** A part of the log, and for each entry who asked, as words. */
export interface ListedAudit {
  readonly list: AuditList;
  readonly askers: readonly string[];
}

/**
 * Reads the log of changes of the store, newest first: from its server, or from the disk of this store host. Changes nothing.
 * @throws SkulkError PERMISSION if this user may not read the file; NOT_FOUND from a store without such a log
 */
export async function listAudit(deps: Deps, query: AuditQuery): Promise<ListedAudit> {
  await using opened = await openStore(deps);
  const nodes = await nodesOf(opened);
  const list = await ask(opened, query, nodes);
  return { list, askers: list.entries.map((entry) => nameAsker(entry, nodes)) };
}

async function ask({ audit, localRoot, store }: OpenedStore, query: AuditQuery, nodes: readonly KnownNode[]): Promise<AuditList> {
  if (audit !== undefined) return audit(query);
  if (localRoot === undefined)
    throw new SkulkError('NOT_FOUND', `the store at ${store.location} has no log of changes`, { hint: 'upgrade skulk on the store host' });
  const { audit: file, olderAudit: older } = storeLayout(localRoot);
  return explainingDiskErrors(`cannot read ${file}`, () =>
    searchAudit({ file, older }, { limit: query.limit, pick: (entry) => (isWanted(entry, query, nodes) ? entry : undefined) }),
  );
}

const nodesOf = async (opened: OpenedStore): Promise<readonly KnownNode[]> => {
  try {
    return await (await opened.fleet()).nodes();
  } catch (error) {
    // A client that may not list the nodes sees their addresses.
    if (error instanceof SkulkError) return [];
    throw error;
  }
};

/** Whether an entry is one of the wanted ones. Pure. */
export function isWanted(
  entry: ActivityEntry,
  { since, failed = false, kind, who }: Omit<AuditQuery, 'limit'>,
  nodes: readonly Pick<KnownNode, 'node_id' | 'address' | 'hostname'>[],
): boolean {
  if (since !== undefined && !(Date.parse(entry.at) >= Date.parse(since))) return false;
  if ((failed && entry.code === null) || (kind !== undefined && entry.action !== kind)) return false;
  const wanted = who?.toLowerCase();
  return wanted === undefined || namesOfAsker(entry, nodes).some((name) => name.toLowerCase() === wanted);
}
