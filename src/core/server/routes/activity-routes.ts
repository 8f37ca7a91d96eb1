import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Deps } from '../../connect/deps.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { listNodes } from '../../operations/nodes/nodes.ts';
import { type AuditQuery, isWanted } from '../../operations/store/list-audit.ts';
import { activityActions } from '../../protocol/describe/activity.ts';
import type { Activity } from '../access/activity.ts';
import { addRoute } from './add-route.ts';

const usualLimit = 100;
const maxLimit = 10_000;

/** What was done in a store, and how fast bytes move. */
export function addActivityRoutes(app: FastifyInstance, deps: () => Promise<Deps>, activity: Activity): void {
  addRoute(app, 'GET /store/activity', async ({ asker, ip }) => activity.view({ asker, ip }));
  addRoute(app, 'GET /store/audit', async (request) => {
    const query = queryOf(request);
    const { nodes } = query.who === undefined ? { nodes: [] } : await listNodes(await deps());
    const { asker, ip } = request;
    return activity.search({ asker, ip }, { limit: query.limit, isWanted: (entry) => isWanted(entry, query, nodes) });
  });
}

/** @throws SkulkError BAD_REQUEST */
function queryOf({ query }: FastifyRequest): AuditQuery {
  const { since, failed, kind, who, limit } = query as Readonly<Record<string, unknown>>;
  const action = activityActions.find((one) => one === kind);
  const refuse = (name: string, hint: string): SkulkError => new SkulkError('BAD_REQUEST', `the value of ${name} is invalid`, { hint });
  if (since !== undefined && !(typeof since === 'string' && Number.isFinite(Date.parse(since))))
    throw refuse('since', 'use ISO 8601, e.g. 2026-06-15T12:00:00Z');
  if (failed !== undefined && failed !== 'true' && failed !== 'false') throw refuse('failed', 'use true or false');
  if (kind !== undefined && action === undefined) throw refuse('kind', `use one of ${activityActions.join(', ')}`);
  if (who !== undefined && typeof who !== 'string') throw refuse('who', 'use one name');
  if (limit !== undefined && !(typeof limit === 'string' && /^[1-9]\d{0,4}$/.test(limit) && Number(limit) <= maxLimit))
    throw refuse('limit', `use a number from 1 to ${maxLimit}`);
  return { since, failed: failed === 'true', kind: action, who, limit: limit === undefined ? usualLimit : Number(limit) };
}
