import type { ActivityEntry } from '../../../src/core/protocol/events.ts';
import { formatBytes } from '../../parts/format.ts';

/** The end of the sentence about what a machine did by itself: why; else empty. Pure. */
export const reasonOf = ({ action, budget_bytes: budget }: Pick<ActivityEntry, 'action' | 'budget_bytes'>): string =>
  action !== 'evict' ? '' : `to stay within its ${budget === undefined ? '' : `${formatBytes(budget)} `}budget`;
