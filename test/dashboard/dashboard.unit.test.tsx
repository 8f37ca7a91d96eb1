import { expect, test } from 'vitest';
import { Dashboard } from '../../src/cli/render/dashboard/dashboard.tsx';
import { createLive } from '../../src/cli/render/parts/live.ts';
import type { DashboardActs, DashboardView, Removal } from '../../src/cli/render/shapes.ts';
import { SkulkError } from '../../src/core/kernel/errors.ts';
import type { ModelId } from '../../src/core/kernel/model-id.ts';
import type { CountedEntry } from '../../src/core/protocol/models.ts';
import { show } from './show-part.tsx';

const model = (id: string): CountedEntry => ({
  model_id: id as ModelId,
  store_path: id,
  repo_has_projector: null,
  capabilities: [],
  supports_tensor: null,
  base_model: null,
  total_bytes: 1024,
  file_count: 1,
  downloaded_at: '2026-01-01T00:00:00Z',
  tags: [],
  quantization: null,
  family: null,
  context_length: null,
});

const view: DashboardView = {
  store: {
    location: 'http://store:58080',
    connection: { state: 'live' },
    health: null,
    models: [model('org/one'), model('org/two')],
    downloads: [],
    nodes: [],
    orders: [],
  },
  staging: null,
  jobs: [],
  node: { hostname: 'here', node_id: null },
  notice: null,
};

/** The dashboard over a store that does only what a test says. */
function showDashboard(acts: Partial<DashboardActs>) {
  const whole = { isStaging: () => false, ...acts } as DashboardActs;
  return show(<Dashboard live={createLive(view)} acts={whole} clock={() => new Date('2026-01-02T00:00:00Z')} onLeave={() => {}} />, {
    columns: 90,
  });
}

test.each([
  ['that it is done', (settle: PromiseWithResolvers<Removal>) => settle.resolve({ freed_bytes: 0, nodes: [] }), /✓ org\/one was deleted/],
  ['why it failed', (settle: PromiseWithResolvers<Removal>) => settle.reject(new SkulkError('STORE_UNREACHABLE', 'no way')), /✗ no way/],
])('a removal that the machines are slow with is left by Escape, and the bottom says %s', async (_, settle, says) => {
  const answer = Promise.withResolvers<Removal>();
  const { press, seen } = showDashboard({ delete: () => answer.promise });
  await press('d', 'y');
  expect(seen()).toContain('esc leave');
  await press('y', '\u001b');
  expect(seen()).not.toContain('Delete org/one?');
  await press('j');
  expect(seen()).toMatch(/^› org\/two/m);
  settle(answer);
  await expect.poll(seen).toMatch(says);
});
