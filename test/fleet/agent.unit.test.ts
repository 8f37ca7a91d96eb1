import { expect, test } from 'vitest';
import { parseNodeId } from '../../src/core/kernel/machine/node-id.ts';
import { parseModelId } from '../../src/core/kernel/model-id.ts';
import { runAgent } from '../../src/core/node/agent.ts';
import type { NodeReport, Order, OrderOutcome } from '../../src/core/protocol/fleet.ts';
import { until, within } from '../helpers/waiting.ts';

const nodeId = parseNodeId('n1');
const purge: Order = {
  order_id: 'order-1',
  seq: 1,
  kind: 'purge',
  model_id: parseModelId('org/a'),
  selector: 'Q8_0',
  force: false,
  given_at: '2026-01-01T00:00:00.000Z',
};
const done: OrderOutcome = { status: 'done', freed_bytes: 5, reason: null };

test('a node that has removed a quantization reports its copies again, although no directory of a copy appeared or went', async () => {
  const ending = new AbortController();
  const happened: string[] = [];
  const work = runAgent({
    nodeId,
    signal: ending.signal,
    report: async () => ({}) as NodeReport,
    carryOut: async () => {
      happened.push('removed');
      return done;
    },
    stage: async () => done,
    settled: async () => {},
    emit: () => {},
    // No report is due in the time of the test.
    reportEveryMs: 3_600_000,
    reportSoonMs: 1,
    fleet: {
      report: async () => {
        happened.push('reported');
        return [];
      },
      acknowledge: async () => void happened.push('acknowledged'),
      progress: async () => true,
      async *orders(_nodeId, signal) {
        yield purge;
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      },
    },
  });
  await until(
    'the second report',
    () => happened.length >= 4,
    () => happened,
  );
  ending.abort();
  await within('the end of the agent', work);
  expect(happened).toEqual(['reported', 'removed', 'acknowledged', 'reported']);
});
