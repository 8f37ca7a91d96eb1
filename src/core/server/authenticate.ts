import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { ErrorAnswer } from './error-body.ts';

const refusal = (isGiven: boolean): ErrorAnswer['body'] => ({
  detail: isGiven ? 'the token is not that of this server' : 'this server wants a token',
  code: 'UNAUTHORIZED',
  hint: 'send it as `Authorization: Bearer TOKEN`; skulk takes it from SKULK_TOKEN or --token',
});

/** Asks for a bearer token on every route but the open ones. The comparison takes as long whatever the difference is. */
export function requireToken(app: FastifyInstance, token: string, openRoutes: readonly string[]): void {
  const expected = digest(token);
  app.addHook('onRequest', async (request, reply) => {
    if (openRoutes.includes(request.routeOptions.url ?? '')) return;
    const given = /^Bearer +(.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (timingSafeEqual(digest(given.trim()), expected)) return;
    await reply
      .code(401)
      .header('WWW-Authenticate', 'Bearer')
      .send(refusal(given !== ''));
  });
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
