import { formatBytes } from '../../kernel/units.ts';
import type { SwarmList } from '../staging.ts';

/** `3 nodes share org/name; the store has sent 1.50 GiB`. Pure. */
export const describeSwarm = ({ model_id, members, host_sent_bytes }: SwarmList['swarms'][number]): string =>
  `${members} nodes share ${model_id}; the store has sent ${formatBytes(host_sent_bytes)}`;
