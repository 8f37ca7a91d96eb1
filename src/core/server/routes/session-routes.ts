import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SkulkError } from '../../kernel/errors.ts';
import type { CodeBody } from '../../protocol/access.ts';
import type { Access } from '../access/access.ts';
import { addRoute } from './add-route.ts';

/** Shows a client's rights, and gives a page its key. */
export function addSessionRoutes(app: FastifyInstance, access: Access, { hostname }: { readonly hostname: string }): void {
  addRoute(app, 'GET /session', async ({ asker }, reply) => {
    const { role, credential, name } = asker;
    reply.header('Cache-Control', 'no-store');
    const [store_role, lan, names, cors_origins] = await Promise.all([
      access.storeRole(asker),
      access.lan(),
      access.serverNames(),
      access.corsOrigins(),
    ]);
    const server_names = names ?? [];
    return { role, store_role, credential, ...(name !== undefined && { name }), lan, server_names, cors_origins, hostname };
  });
  const redeem = async (request: FastifyRequest, reply: FastifyReply): Promise<object> => {
    if (access.pages === undefined) throw noPages();
    const { key, expiresAt } = access.pages.redeem((request.body as CodeBody).code, request.ip);
    request.asker = { role: 'admin', credential: 'page' };
    reply.header('Cache-Control', 'no-store');
    return { key, role: 'admin', expires_at: expiresAt.toISOString() };
  };
  addRoute(app, 'POST /session', redeem, { bodyLimit: 4096 });
  addRoute(app, 'DELETE /session', async ({ asker, headers }) => {
    if (asker.credential !== 'page')
      throw new SkulkError('BAD_REQUEST', 'only a page that was opened with a link has a key that can be ended', {
        hint: 'to revoke a token, use `skulk token revoke`',
      });
    access.pages?.end((headers.authorization ?? '').replace(/^\s*Bearer +/i, '').trim());
    return { ended: true };
  });
  addRoute(app, 'POST /session/codes', async ({ asker }, reply) => {
    // Such a key outlives its creator, but a revoked token must not leave a valid key.
    if (asker.credential === 'named' || asker.credential === 'page')
      throw new SkulkError('FORBIDDEN', 'only the key of this machine can create links to its page', {
        hint: `run \`skulk key\` on ${hostname}`,
      });
    if (access.pages === undefined) throw noPages();
    const { code, expiresAt } = access.pages.makeCode();
    reply.header('Cache-Control', 'no-store');
    return { code, expires_at: expiresAt.toISOString() };
  });
}

const noPages = (): SkulkError => new SkulkError('UNAUTHORIZED', 'this server does not create page keys', { hint: 'send a token' });
