import { HubRefusal } from '../contract.ts';

/** A revision of a model that the store knows, or that only its source may know. */
export type FoundRevision =
  /** The store's `main` branch. */
  | { readonly kind: 'main' }
  | { readonly kind: 'commit'; readonly commit: string }
  | { readonly kind: 'unknown'; readonly revision: string };

const namePattern = /^[A-Za-z0-9_][A-Za-z0-9._/+-]*$/;

/**
 * Resolves a revision. `HEAD` is what @huggingface/hub sends for the default branch. Pure.
 * @param known the store's recorded names for its files, and the commits whose files or listings it has
 * @throws HubRefusal revisionNotFound for an impossible revision, or an ambiguous abbreviation
 */
export function findRevision(
  id: string,
  revision: string,
  { names, commits }: { readonly names: readonly string[]; readonly commits: readonly string[] },
): FoundRevision {
  if (!namePattern.test(revision) || revision.length > 255 || revision.includes('..') || revision.includes('//'))
    throw noRevision(id, revision);
  if (commits.includes(revision)) return { kind: 'commit', commit: revision };
  if (revision === 'main' || revision === 'HEAD' || names.includes(revision)) return { kind: 'main' };
  if (/^[0-9a-f]{7,39}$/.test(revision)) {
    const [only, ...others] = commits.filter((commit) => commit.startsWith(revision));
    if (others.length > 0) throw noRevision(id, revision);
    if (only !== undefined) return { kind: 'commit', commit: only };
  }
  return { kind: 'unknown', revision };
}

/** The refusal for an unknown revision. */
export const noRevision = (id: string, revision: string): HubRefusal =>
  new HubRefusal('revisionNotFound', `${id} has no revision ${JSON.stringify(revision.slice(0, 100))} in this store`);
