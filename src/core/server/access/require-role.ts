import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SkulkError } from '../../kernel/errors.ts';
import { mayActAs, type Role } from '../../kernel/role.ts';
import { isSafe } from '../app/refuse-web-pages.ts';
import type { Access, Asker } from './access.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The role that a client needs for the route; `open` for any client. Every route must have it. */
    readonly role?: Role | 'open';
    /** Its answer never ends, so its client is authenticated repeatedly. */
    readonly isEndless?: boolean;
    /** Its clients send tokens of other servers, which are ignored if the LAN has the right without one. */
    readonly isForStrangers?: boolean;
    /** A browser gets the page without a token: it contains no secret, and asks for the token. */
    readonly isPage?: boolean;
  }
  interface FastifyRequest {
    /** The client of the request. */
    asker: Asker;
  }
}

/** A route, and its required role. */
export interface RouteRole {
  readonly method: string;
  readonly url: string;
  readonly role: Role | 'open';
  /** Whether it handles all remaining requests, or only CORS preflights. */
  readonly isForWhatIsLeft: boolean;
}

const routesOf = new WeakMap<FastifyInstance, readonly RouteRole[]>();

/** Every route of an app, with its required role. */
export const listRoutes = (app: FastifyInstance): readonly RouteRole[] => routesOf.get(app) ?? [];

const reauthenticateMs = 1_000;

const nobody: Asker = { role: 'none', credential: 'lan' };

/** Rejects requests without the role of their route. A route without a role makes the start of the server fail. */
export function requireRoles(app: FastifyInstance, access: Access, { hostname }: { readonly hostname: string }): void {
  app.decorateRequest('asker');
  const routes: RouteRole[] = [];
  routesOf.set(app, routes);
  app.addHook('onRoute', ({ config, method, url }) => {
    const role = config?.role;
    if (role === undefined) throw new Error(`the route ${String(method)} ${url} has no role`);
    for (const one of [method].flat()) routes.push({ method: one, url, role, isForWhatIsLeft: config?.isForWhatIsLeft === true });
  });
  app.addHook('onRequest', async (request, reply) => {
    request.asker = nobody;
    const needs = roleOf(request);
    if (needs === 'open') return;
    request.asker = await identify(request, needs, access);
    if (!mayActAs(request.asker.role, needs)) throw refusal(request.asker, needs, hostname);
    if (request.routeOptions.config.isEndless === true) endWithRole(request, reply, { needs, access });
  });
}

/** Identifies the client. An unknown token, or one that cannot be checked now, is ignored if the LAN has the right anyway. */
async function identify({ headers, routeOptions }: FastifyRequest, needs: Role, access: Access): Promise<Asker> {
  try {
    return await access.authenticate(headers.authorization);
  } catch (error) {
    if (routeOptions.config.isForStrangers !== true || !(error instanceof SkulkError)) throw error;
    const role = await access.lan();
    if (!mayActAs(role, needs)) throw error;
    return { role, credential: 'lan' };
  }
}

/** Ends an answer within about a second after its reader lost the right to it. */
function endWithRole(
  request: FastifyRequest,
  { raw }: FastifyReply,
  { needs, access }: { readonly needs: Role; readonly access: Access },
): void {
  const timer = setInterval(() => {
    access.authenticate(request.headers.authorization).then(
      ({ role }) => {
        if (!mayActAs(role, needs)) raw.destroy();
      },
      (error: unknown) => {
        // A temporarily unreachable store does not change the rights of connected clients.
        if (error instanceof SkulkError && error.code === 'UNAUTHORIZED') raw.destroy();
      },
    );
  }, reauthenticateMs);
  timer.unref();
  raw.once('close', () => clearInterval(timer));
}

/** A client without the right to read must not learn which paths exist. */
function roleOf({ routeOptions, method, headers }: FastifyRequest): Role | 'open' {
  if (routeOptions.config.isPage === true && acceptsPage(headers.accept)) return 'open';
  return routeOptions.config.role ?? (isSafe(method) ? 'read' : 'node');
}

/** Whether an `Accept` header comes from a browser that loads a page. */
export const acceptsPage = (accept: string | undefined): boolean => /\btext\/html\b/i.test(accept ?? '');

const does: Readonly<Record<Role, string>> = {
  read: 'read here',
  node: 'change models and copies here',
  admin: 'do this here: it needs the role admin',
};

function refusal({ role, credential, name }: Asker, needs: Role, hostname: string): SkulkError {
  if (role === 'none')
    return new SkulkError('UNAUTHORIZED', 'this server requires a token', {
      hint: 'send it as `Authorization: Bearer TOKEN`; skulk reads it from SKULK_TOKEN or --token',
    });
  const who = credential === 'named' ? `the token ${name ?? ''} (role ${role})` : `the LAN without a token (role ${role})`;
  const hint =
    needs === 'admin'
      ? `run the command on ${hostname}, open the link of \`skulk key\` there, or use a token with the role admin`
      : `use a token with the role ${needs}; \`skulk token create NAME --role ${needs}\` on the store host makes one`;
  return new SkulkError('FORBIDDEN', `${who} may not ${does[needs]}`, { hint });
}
