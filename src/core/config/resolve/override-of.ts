import { normalizeHostname, sameHostname } from '../../kernel/machine/hostname.ts';
import type { ModelStore } from '../schema.ts';
import type { Identity } from './same-host.ts';

/** The first of `node_overrides` for a machine. */
export function overrideOf(
  store: ModelStore,
  { hostname, nodeId, aliases = [] }: Identity,
): { name: string; staging: NonNullable<ModelStore['staging']> } | undefined {
  for (const [name, { staging }] of Object.entries(store.node_overrides ?? {})) {
    // An empty override does not end the search.
    const isSelected = name === nodeId || sameHostname(name, hostname) || aliases.includes(normalizeHostname(name));
    if (staging !== undefined && isSelected) return { name, staging };
  }
  return undefined;
}
