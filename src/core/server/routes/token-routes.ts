import type { FastifyInstance, FastifyRequest } from 'fastify';
import { describeChanges, namesOfChanges } from '../../operations/settings/describe-changes.ts';
import type { StoreAdministration } from '../../operations/store/open-administration.ts';
import type { TokenBody } from '../../protocol/access.ts';
import type { ChangedPolicy } from '../../protocol/settings.ts';
import type { Access } from '../access/access.ts';
import { addRoute } from './add-route.ts';

/** The named tokens and the policy of a store, on the store host. */
export function addStoreAccessRoutes(
  app: FastifyInstance,
  { tokens, policy, access }: StoreAdministration & { readonly access: Access },
): void {
  addRoute(app, 'GET /tokens', async () => ({ tokens: await tokens.list() }));
  addRoute(app, 'POST /tokens', async (request, reply) => {
    const made = await tokens.create(request.body as TokenBody);
    reply.header('Cache-Control', 'no-store');
    return { ...made, lan: await access.lan() };
  });
  addRoute(app, 'DELETE /tokens/:name', async (request) => tokens.revoke((request.params as { name: string }).name));
  addRoute(app, 'GET /policy', () => policy.view());
  const changePolicy = async (request: FastifyRequest): Promise<ChangedPolicy> => {
    const changes = request.body as Record<string, unknown>;
    request.changedSettings = namesOfChanges(changes);
    const changed = await policy.change(changes);
    request.changedSettings = describeChanges(changes, changed.before, { after: changed.policy });
    return changed;
  };
  addRoute(app, 'PUT /policy', changePolicy, { bodyLimit: 64 * 1024 });
}
