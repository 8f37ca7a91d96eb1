import { isIP } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { SkulkError } from '../../kernel/errors.ts';

/*
 * A server without a token is open to its LAN, but a browser on that LAN also runs code of any web page. A page can send requests to
 * other sites without reading the answers, so requests that change something are rejected. A page can also have its own name resolved to
 * this machine's address (DNS rebinding) and then read answers too. So the requested name must be one of this machine's.
 */

/** Methods that change nothing (RFC 9110, 9.2.1). */
const safe: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whether a method changes nothing. */
export const isSafe = (method: string): boolean => safe.has(method);

/** Nobody can own these names in the public DNS (RFC 6762, RFC 8375, RFC 9476 and the usual names of home routers). */
const privateName = /^[^.]+$|\.(?:local|localhost|lan|home|internal|intranet|home\.arpa|localdomain)$/;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** It changes nothing, but uses disk space or sends requests to others, so pages of other sites must not use it. */
    readonly ownPagesOnly?: boolean;
    /** It changes nothing, despite its method. */
    readonly changesNothing?: boolean;
  }
}

/**
 * Rejects requests that web pages of other sites cause in a browser.
 * @param names the names of this machine beside its addresses
 * @param further more accepted names; undefined with a token, which pages of other sites do not have
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
        // Not store_host: a machine without that name would become a node of itself.
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

/** Whether a page of another site caused this request. */
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
