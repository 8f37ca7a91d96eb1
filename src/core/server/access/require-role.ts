import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SkulkError } from '../../kernel/errors.ts';
import { mayActAs, type Role } from '../../kernel/role.ts';
import { isSafe } from '../app/refuse-web-pages.ts';
import type { Access, Asker } from './access.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may use the route; `open` for everybody, whatever they show. Every route says it. */
    readonly role?: Role | 'open';
    /** Its answer never ends by itself, so who asks is authenticated again and again. */
    readonly isEndless?: boolean;
    /** Its clients send tokens of other servers, which are ignored where the LAN may do without one. */
    readonly isForStrangers?: boolean;
    /** A browser that asks for a page gets it without a token: the page holds no secret, and asks for the token. */
    readonly isPage?: boolean;
  }
  interface FastifyRequest {
    /** Who asks. */
    asker: Asker;
  }
}

/** A route, and who may use it. */
export interface RouteRole {
  readonly method: string;
  readonly url: string;
  readonly role: Role | 'open';
  /** Whether it takes what no other route does, or only says what may be asked. */
  readonly isForWhatIsLeft: boolean;
}

const routesOf = new WeakMap<FastifyInstance, readonly RouteRole[]>();

/** Every route of an app, and who may use it. */
export const listRoutes = (app: FastifyInstance): readonly RouteRole[] => routesOf.get(app) ?? [];

const judgedAgainMs = 1_000;

const nobody: Asker = { role: 'none', credential: 'lan' };

/** Lets requests through that may do what their route says. A route that does not say it ends the start of the server. */
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

/** Who asks. A token that nobody knows, or that cannot be asked about, is no reason to refuse whom the LAN lets in anyway. */
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

/** Ends an answer within about a second after its reader may not have it any more. */
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
        // That a store cannot be asked just now says nothing of who was let in.
        if (error instanceof SkulkError && error.code === 'UNAUTHORIZED') raw.destroy();
      },
    );
  }, judgedAgainMs);
  timer.unref();
  raw.once('close', () => clearInterval(timer));
}

/** Someone who may not even look must not learn what is not there. */
function roleOf({ routeOptions, method, headers }: FastifyRequest): Role | 'open' {
  if (routeOptions.config.isPage === true && acceptsPage(headers.accept)) return 'open';
  return routeOptions.config.role ?? (isSafe(method) ? 'read' : 'node');
}

/** Whether an `Accept` header is one of a browser that loads a page. */
export const acceptsPage = (accept: string | undefined): boolean => /\btext\/html\b/i.test(accept ?? '');

const does: Readonly<Record<Role, string>> = {
  read: 'read here',
  node: 'change models and copies here',
  admin: 'change settings here',
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
