import type { Deps } from '../../connect/deps.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { GroupFiles } from '../../staging/groups/copy-groups.ts';
import { markUsed as markInCopy } from '../../staging/groups/mark-used.ts';
import { stagingLayout } from '../../staging/layout.ts';

/** Marks quantizations of a copy of this node as used now. */
export const markUsed = ({ config, world }: Deps, modelId: ModelId, isUsed: (group: GroupFiles) => boolean): Promise<void> =>
  markInCopy(stagingLayout(config.settings.nodeCachePath.value), modelId, { now: world.now(), signal: world.signal, isUsed });
