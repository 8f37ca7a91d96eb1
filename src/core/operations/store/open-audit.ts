import { type AuditLog, openAuditLog } from '../../access/audit-log.ts';
import type { Deps } from '../../connect/deps.ts';
import { describeFailure } from '../../kernel/explain-system-error.ts';
import { storeLayout } from '../../store/layout.ts';
import type { LocalStore } from '../../store/local-store.ts';

/** The log of the requests that changed something in a store on this disk. A disk error is reported, and stops nothing. */
export function openAudit({ world: { emit } }: Pick<Deps, 'world'>, store: LocalStore): AuditLog {
  const { audit: file, olderAudit: older, auditLock: lock } = storeLayout(store.root);
  return openAuditLog({
    file,
    older,
    lock,
    requireDisk: () => store.requireDisk(),
    onFailure: (error) =>
      emit({
        type: 'warning',
        message: describeFailure(`cannot write the log of changes to ${file}`, error),
        hint: 'the store is served without it; entries are written again when the disk accepts them',
      }),
  });
}
