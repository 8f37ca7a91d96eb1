import { isModelId, type ModelId } from '../kernel/model-id.ts';
import type { CompanionRole } from '../protocol/models/shown-model.ts';

/** Another model that improves this one, or that it needs. */
export interface Companion {
  readonly modelId: ModelId;
  readonly role: CompanionRole;
}

/** A vision model does not work without its vision weights; other companions only make it faster. */
export const isRequired = ({ role }: Companion): boolean => role === 'vision';

const roles: ReadonlySet<string> = new Set<CompanionRole>(['vision', 'mtp', 'assistant']);

/** Companions as text, e.g. for a header or a copy's record: `vision=org/name, mtp=org/other`. */
export const formatCompanions = (companions: readonly Companion[]): string =>
  companions.map(({ role, modelId }) => `${role}=${modelId}`).join(', ');

/** Parses the text of `formatCompanions`. Ignores invalid entries, because the text may come from another machine. */
export function parseCompanions(text: unknown): readonly Companion[] {
  if (typeof text !== 'string' || text.length > 4096) return [];
  return text.split(',').flatMap((part): Companion[] => {
    const [role = '', modelId = ''] = part.trim().split('=');
    return roles.has(role) && isModelId(modelId) ? [{ role: role as CompanionRole, modelId }] : [];
  });
}
