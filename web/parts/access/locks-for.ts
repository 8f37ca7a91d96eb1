import type { Role, Session } from '../../../src/core/protocol/access.ts';

/** Why this tab may not do something, as a sentence; undefined where it may. */
export interface Locks {
  /** Adding, deleting and verifying models, and purging copies. */
  readonly models: string | undefined;
  /** Staging on the machine whose page this is. */
  readonly copiesHere: string | undefined;
  /** Forgetting a machine. */
  readonly nodes: string | undefined;
  /** Restarting the server of this page. */
  readonly restart: string | undefined;
  /** Cancelling what other machines send. */
  readonly uploads: string | undefined;
}

const roles: readonly (Role | 'none')[] = ['none', 'read', 'node', 'admin'];

/** Whether a role may do what another one may. Pure. */
export const mayActAs = (has: Session['store_role'], wanted: Role): boolean => roles.indexOf(has) >= roles.indexOf(wanted);

const viewOnly = 'Read-only: this needs a token with the role node.';

/**
 * What a tab with these roles, at the store and at the server of its page, may not do, and why. Pure.
 * @param names the host names of the store and of this server, for the sentences
 */
export function locksFor(
  access: Pick<Session, 'role' | 'store_role'>,
  { host, here }: { readonly host: string; readonly here: string },
): Locks {
  const isAdmin = mayActAs(access.store_role, 'admin');
  return {
    models: mayActAs(access.store_role, 'node') ? undefined : viewOnly,
    copiesHere: mayActAs(access.role, 'node') ? undefined : viewOnly,
    nodes: isAdmin ? undefined : `To forget a machine, run “skulk key” on ${host} and open the link it prints.`,
    restart: mayActAs(access.role, 'admin') ? undefined : `To restart skulk, run “skulk key” on ${here} and open the link it prints.`,
    uploads: isAdmin ? undefined : `To cancel an upload of another machine, run “skulk key” on ${host} and open the link it prints.`,
  };
}

/** The same locks, or one for everything. Pure. @param reason as a sentence; undefined: no further lock */
export const lockAll = (locks: Locks, reason: string | undefined): Locks =>
  reason === undefined ? locks : { models: reason, copiesHere: reason, nodes: reason, restart: reason, uploads: reason };
