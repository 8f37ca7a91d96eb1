import { expect, test } from 'vitest';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { identifySelf } from '../../src/core/kernel/process/process-identity.ts';
import { describeHolders } from '../../src/core/protocol/holder.ts';
import { holdersOf } from '../../src/core/staging/leases/holders.ts';

test('a program of skulk run and that command are named as one user of a copy', async () => {
  const self = await identifySelf();
  const modelId = parseModelId('org/m');
  const lease = (purpose: string, ...pids: readonly number[]) => ({
    lease_id: '0'.repeat(24),
    model_id: modelId,
    companions: [],
    purpose,
    taken_at: '',
    holders: pids.map((pid) => ({ ...self, pid })),
    expires_at: null,
  });
  const holders = holdersOf([lease('skulk run', 25_244, 25_173), lease('skulk run', 7), lease('skulk activate', 8, 9)], modelId);
  expect(holders.map(({ pid }) => pid)).toEqual([25_244, 25_173, 7, 8, 9]);
  expect(describeHolders(holders)).toBe(
    'pid 25244 (started by skulk run, pid 25173), pid 7 (skulk run), pid 8 (skulk activate), pid 9 (skulk activate)',
  );
});
