import type { FastifyInstance } from 'fastify';
import { SkulkError } from '../../kernel/errors.ts';
import { isRole } from '../../kernel/role.ts';
import type { StoreAdministration } from '../../operations/store/open-administration.ts';
import type { Access } from '../access/access.ts';
import { errorSchema } from './schemas.ts';

const open = { type: 'object', additionalProperties: true } as const;
const tokenSchema = {
  ...open,
  properties: { name: { type: 'string' }, role: { enum: ['read', 'node', 'admin'] }, created_at: { type: 'string' } },
} as const;
const policySchema = { ...open, description: 'path, every setting, and where each comes from' } as const;

/** The named tokens and the policy of a store, on the store host. */
export function addStoreAccessRoutes(
  app: FastifyInstance,
  { tokens, policy, access }: StoreAdministration & { readonly access: Access },
): void {
  const failures = { 400: errorSchema, 401: errorSchema, 403: errorSchema };
  const admin = { role: 'admin' } as const;
  app.get(
    '/tokens',
    {
      config: admin,
      schema: {
        summary: 'The named tokens, without the tokens themselves',
        response: { 200: { ...open, properties: { tokens: { type: 'array', items: tokenSchema } } }, ...failures },
      },
    },
    async () => ({ tokens: await tokens.list() }),
  );
  app.post(
    '/tokens',
    {
      config: admin,
      schema: {
        summary: 'Make a named token; it is shown this once',
        body: {
          type: 'object',
          required: ['name', 'role'],
          additionalProperties: false,
          properties: { name: { type: 'string', maxLength: 64 }, role: { enum: ['read', 'node', 'admin'] } },
        },
        response: { 200: tokenSchema, 409: errorSchema, ...failures },
      },
    },
    async (request, reply) => {
      const { name, role } = request.body as { name: string; role: unknown };
      if (!isRole(role))
        throw new SkulkError('BAD_REQUEST', 'role must be read, node or admin', { hint: 'e.g. {"name":"laptop","role":"node"}' });
      const made = await tokens.create({ name, role });
      reply.header('Cache-Control', 'no-store');
      return { ...made, lan: await access.lan() };
    },
  );
  app.delete(
    '/tokens/:name',
    { config: admin, schema: { summary: 'Revoke a named token', response: { 200: tokenSchema, 404: errorSchema, ...failures } } },
    async (request) => tokens.revoke((request.params as { name: string }).name),
  );
  app.get(
    '/policy',
    { config: { role: 'read' }, schema: { summary: 'The policy of the store', response: { 200: policySchema, ...failures } } },
    async () => policy.view(),
  );
  app.put(
    '/policy',
    {
      config: admin,
      bodyLimit: 64 * 1024,
      schema: {
        summary: 'Change the policy; what is not named stays, null brings the default back',
        body: { type: 'object', additionalProperties: true, examples: [{ lan: 'read' }] },
        response: { 200: policySchema, ...failures },
      },
    },
    async (request) => policy.change(request.body as Record<string, unknown>),
  );
}
