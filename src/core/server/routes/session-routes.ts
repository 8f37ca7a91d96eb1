import type { FastifyInstance } from 'fastify';
import { SkulkError } from '../../kernel/errors.ts';
import type { Access } from '../access/access.ts';
import { errorSchema } from './schemas.ts';

const text = { type: 'string' } as const;
const sessionSchema = {
  type: 'object',
  additionalProperties: true,
  description:
    'role: what whoever asks may do; store_role: the same with the store, which on a node may be less; credential: by what it was shown; lan: what the LAN may do without a token; server_names: further names of the store',
  properties: {
    role: { enum: ['read', 'node', 'admin'] },
    credential: { enum: ['lan', 'token', 'key', 'page', 'named'] },
    name: text,
    store_role: { enum: ['read', 'node', 'admin', 'none'] },
    lan: { enum: ['node', 'read', 'none'] },
    server_names: { type: 'array', items: text },
    hostname: text,
  },
} as const;
const keySchema = {
  type: 'object',
  properties: { key: text, role: { const: 'admin' }, expires_at: text },
} as const;
const codeSchema = { type: 'object', properties: { code: text, expires_at: text } } as const;

/** What whoever asks may do, and how a page comes to a key. */
export function addSessionRoutes(app: FastifyInstance, access: Access, { hostname }: { readonly hostname: string }): void {
  const failures = { 400: errorSchema, 401: errorSchema, 403: errorSchema, 429: errorSchema };
  app.get(
    '/session',
    {
      config: { role: 'read' },
      schema: { summary: 'What whoever asks may do here', response: { 200: sessionSchema, 401: errorSchema } },
    },
    async ({ asker }, reply) => {
      const { role, credential, name } = asker;
      reply.header('Cache-Control', 'no-store');
      const [store_role, lan, names] = await Promise.all([access.storeRole(asker), access.lan(), access.serverNames()]);
      return { role, store_role, credential, ...(name !== undefined && { name }), lan, server_names: names ?? [], hostname };
    },
  );
  app.post(
    '/session',
    {
      config: { role: 'open' },
      bodyLimit: 4096,
      schema: {
        summary: 'Change the code of a link, which works once, for the key of a page',
        body: { type: 'object', required: ['code'], properties: { code: { type: 'string', maxLength: 200 } } },
        response: { 200: keySchema, ...failures },
      },
    },
    async (request, reply) => {
      if (access.pages === undefined) throw noPages();
      const { key, expiresAt } = access.pages.redeem((request.body as { code: string }).code, request.ip);
      request.asker = { role: 'admin', credential: 'page' };
      reply.header('Cache-Control', 'no-store');
      return { key, role: 'admin', expires_at: expiresAt.toISOString() };
    },
  );
  app.delete(
    '/session',
    { config: { role: 'read' }, schema: { summary: 'End the key of this page', response: { 200: {}, ...failures } } },
    async ({ asker, headers }) => {
      if (asker.credential !== 'page')
        throw new SkulkError('BAD_REQUEST', 'only a page that was opened by a link has a key to end', {
          hint: 'tokens are ended with `skulk token revoke`',
        });
      access.pages?.end((headers.authorization ?? '').replace(/^\s*Bearer +/i, '').trim());
      return { ended: true };
    },
  );
  app.post(
    '/session/codes',
    {
      config: { role: 'admin' },
      schema: { summary: 'Make a code for a link that opens the page with the role admin', response: { 200: codeSchema, ...failures } },
    },
    async ({ asker }, reply) => {
      // Such a key outlives its maker, and a named token must be over when it is revoked.
      if (asker.credential === 'named' || asker.credential === 'page')
        throw new SkulkError('FORBIDDEN', 'only whoever has the key of this machine makes links to its page', {
          hint: `run \`skulk key\` on ${hostname}`,
        });
      if (access.pages === undefined) throw noPages();
      const { code, expiresAt } = access.pages.makeCode();
      reply.header('Cache-Control', 'no-store');
      return { code, expires_at: expiresAt.toISOString() };
    },
  );
}

const noPages = (): SkulkError => new SkulkError('UNAUTHORIZED', 'this server gives no keys to pages', { hint: 'show a token' });
