import { dirname } from 'node:path';
import type { Deps } from '../../connect/deps.ts';
import type { OpenedStore } from '../../connect/open-store.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { describeFailure } from '../../kernel/explain-system-error.ts';
import { isDirectory } from '../../kernel/files/is-there.ts';
import type { ActivityEntry } from '../../protocol/events.ts';
import { storeLayout } from '../../store/layout.ts';

/** What a command changes, in the words of the log. */
export type Change = Pick<ActivityEntry, 'action'> & Partial<Pick<ActivityEntry, 'model_id' | 'selector' | 'target'>>;

/**
 * Makes a change through an opened store. If this process makes it on the disk, it is recorded in the log of changes with its result. A
 * server records the requests that it gets.
 * @param said what a result says about freed bytes, and whether nodes have still to carry it out
 */
export function logUnserved<T>(
  deps: Pick<Deps, 'world' | 'store'>,
  { url, localRoot }: Pick<OpenedStore, 'url' | 'localRoot'>,
  change: Change,
  work: () => Promise<T>,
  said?: (result: T) => Pick<ActivityEntry, 'freed_bytes' | 'state'>,
): Promise<T> {
  return deps.store !== undefined || url !== undefined || localRoot === undefined ? work() : logOnDisk(deps, localRoot, change, work, said);
}

/**
 * Makes a change on the disk of the store at `root`, and records it with its result. An entry that cannot be saved causes a warning; it
 * never stops the change.
 * @param said what a result says about the change
 */
export async function logOnDisk<T>(
  { world }: Pick<Deps, 'world'>,
  root: string,
  change: Change,
  work: () => Promise<T>,
  said: (result: T) => Partial<Pick<ActivityEntry, 'target' | 'freed_bytes' | 'state'>> = () => ({}),
): Promise<T> {
  try {
    const result = await work();
    await record(world, root, { ...change, code: null, ...said(result) });
    return result;
  } catch (error) {
    const code = error instanceof SkulkError ? error.code : 'INTERNAL';
    // Another process holds the store, so this one has changed nothing.
    if (code !== 'LOCKED') await record(world, root, { ...change, code });
    throw error;
  }
}

const record = (
  world: Deps['world'],
  root: string,
  { action, model_id = null, selector = null, target = null, ...result }: Change & Pick<ActivityEntry, 'code' | 'freed_bytes' | 'state'>,
): Promise<void> =>
  recordOnDisk(world, root, [{ who: `user ${world.user()}`, from: '', node: null, action, model_id, selector, target, ...result }]);

/** Saves entries in the log of the store at `root`, dated now. If that fails, there is a warning. */
export async function recordOnDisk(
  { now, emit }: Pick<Deps['world'], 'now' | 'emit'>,
  root: string,
  entries: readonly Omit<ActivityEntry, 'at'>[],
): Promise<void> {
  const { audit: file, olderAudit: older, auditLock: lock } = storeLayout(root);
  if (!(await isDirectory(dirname(file)))) return;
  const { openAuditLog } = await import('../../access/audit-log.ts');
  await using log = openAuditLog({
    file,
    older,
    lock,
    requireDisk: async () => undefined,
    onFailure: (error) =>
      emit({
        type: 'warning',
        message: describeFailure(`cannot write to the log of changes ${file}`, error),
        hint: 'only the log entry is missing; the command itself is not affected',
      }),
  });
  const at = now().toISOString();
  for (const entry of entries) log.append({ at, ...entry });
}
