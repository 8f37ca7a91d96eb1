import { isIP } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { SkulkError } from '../../kernel/errors.ts';

/*
 * A server without a token is open to its LAN, but a browser on that LAN also runs what any web page says. A page may send
 * requests to other sites blindly; those that would change something are refused. And a page may have its own name resolved
 * to this machine's address (DNS rebinding), and then read answers as well; so the name that was asked for must be ours.
 */

/** Methods that change nothing (RFC 9110, 9.2.1). */
const safe: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whether a method changes nothing. */
export const isSafe = (method: string): boolean => safe.has(method);

/** Nobody can own these in the public DNS (RFC 6762, RFC 8375, RFC 9476 and what home routers use). */
const privateName = /^[^.]+$|\.(?:local|localhost|lan|home|internal|intranet|home\.arpa|localdomain)$/;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** It changes nothing, but takes up room or makes this machine ask others, so it is not for pages of other sites. */
    readonly ownPagesOnly?: boolean;
    /** It changes nothing, although its method says that it may. */
    readonly changesNothing?: boolean;
  }
}

/**
 * Refuses what web pages of other sites make a browser send.
 * @param names what this machine is called beside its addresses
 * @param further names under which it may be asked too; undefined when there is a token, which no page of another site has
 */
export function refuseWebPages(
  app: FastifyInstance,
  { names, further }: { readonly names: readonly string[]; readonly further: () => Promise<readonly string[] | undefined> },
): void {
  const own = new Set(names.map(normalize));
  app.addHook('onRequest', async ({ method, headers, routeOptions }) => {
    const more = await further();
    if (more === undefined) return;
    const host = nameOf(headers.host ?? '');
    if (host !== '' && isIP(host) === 0 && !privateName.test(host) && !own.has(host) && !more.some((name) => normalize(name) === host)) {
      throw new SkulkError('FORBIDDEN', `${host.slice(0, 253)} is not a name of this machine`, {
        // Not store_host: a machine that is not called so would become a node of itself.
        hint: 'use its address or host name; to allow another name, run `skulk policy set server_names NAME` on the store host',
      });
    }
    const isOwn = routeOptions.config.ownPagesOnly === true;
    const mayChange = !isSafe(method) && routeOptions.config.changesNothing !== true;
    if ((isOwn || mayChange) && isFromElsewhere(headers)) {
      throw new SkulkError('FORBIDDEN', `a web page of another site may not ${isOwn ? 'ask for this' : 'change anything here'}`, {
        hint: 'use skulk commands, or set SKULK_TOKEN',
      });
    }
  });
}

/** Whether a page of another site has a browser send this. */
export function isFromElsewhere({ host, origin, 'sec-fetch-site': site }: FastifyRequest['headers']): boolean {
  if (typeof site === 'string' && site !== 'same-origin' && site !== 'none') return true;
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== host?.toLowerCase();
}

/** The name in a Host header, without its port and in lower case; an IPv6 address without its brackets. */
function nameOf(host: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d*)?$/.exec(host);
  return bracketed?.[1] ?? normalize(host.replace(/:\d*$/, ''));
}

const normalize = (name: string): string => name.toLowerCase().replace(/\.$/, '');
