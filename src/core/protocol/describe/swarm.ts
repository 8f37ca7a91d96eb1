import { formatBytes } from '../../kernel/units.ts';
import type { SwarmList } from '../staging.ts';

/** `org/name goes to 3 nodes together; the store has sent 1.50 GiB`. Pure. */
export const describeSwarm = ({ model_id, members, host_sent_bytes }: SwarmList['swarms'][number]): string =>
  `${model_id} goes to ${members} nodes together; the store has sent ${formatBytes(host_sent_bytes)}`;
