import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HubAsker } from '../../../endpoint/contract.ts';
import { mayActAs } from '../../../kernel/role.ts';
import type { Access } from '../../access/access.ts';
import { isFromElsewhere } from '../../app/refuse-web-pages.ts';

/** Headers that scripts of pages may read. */
const exposed = [
  'X-Repo-Commit',
  'X-Linked-Size',
  'X-Linked-Etag',
  'ETag',
  'Accept-Ranges',
  'Content-Range',
  'Content-Length',
  'X-Error-Code',
  'X-Error-Message',
].join(',');

/** Which pages may use the store as a Hub. */
export interface Origins {
  /** Says in the answer which pages may read it. Whatever is answered, it is not for pages of other sites to embed. */
  mark(request: FastifyRequest, reply: FastifyReply): Promise<void>;
  /** Who asks. A page of another site has nothing fetched: it could fill the disk through the browser of a visitor. */
  askerOf(request: FastifyRequest): Promise<HubAsker>;
  /** Whether everybody on the LAN may read. */
  isPublic(): Promise<boolean>;
  /** Whether who asks may read what this machine has of a store that cannot be asked. */
  mayReadCopies(request: FastifyRequest): Promise<boolean>;
}

/**
 * Of a LAN that may read without a token a page of any site could read the store through the browser of a visitor, so the origin must be
 * one of this machine or one that is listed. With a token a page that has none reads nothing.
 */
export function createOrigins(access: Pick<Access, 'lan' | 'isLanKnown' | 'corsOrigins'>): Origins {
  const isAllowed = async (origin: string): Promise<boolean> => isLoopback(origin) || (await access.corsOrigins()).includes(origin);
  const isPublic = async (): Promise<boolean> => (await access.lan()) !== 'none';
  return {
    isPublic,
    mayReadCopies: async ({ asker }) => asker.credential !== 'lan' || access.isLanKnown(),
    mark: async ({ headers: { origin } }, { raw }) => {
      raw.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
      if (await isPublic()) {
        raw.setHeader('Vary', 'Origin');
        if (origin === undefined || !(await isAllowed(origin))) return;
        raw.setHeader('Access-Control-Allow-Origin', origin);
      } else raw.setHeader('Access-Control-Allow-Origin', '*');
      raw.setHeader('Access-Control-Expose-Headers', exposed);
    },
    askerOf: async ({ asker, headers }) => {
      if (!mayActAs(asker.role, 'node') || headers[noFetch] !== undefined) return { mayFetch: false };
      const { origin } = headers;
      if (origin !== undefined && (await isAllowed(origin))) return { mayFetch: true };
      return { mayFetch: !isFromElsewhere(headers) && !/^Mozilla\//i.test(headers['user-agent'] ?? '') };
    },
  };
}

/** With it a node says that nothing is to be fetched for whom it asks: it does not pass on where a request came from. */
export const noFetch = 'skulk-no-fetch';

/** A page of a server on the machine of whoever looks at it. */
function isLoopback(origin: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, hostname, origin: plain } = new URL(origin);
  const isOwn =
    hostname === 'localhost' || hostname.endsWith('.localhost') || /^127(?:\.\d{1,3}){3}$/.test(hostname) || hostname === '[::1]';
  return plain === origin && /^https?:$/.test(protocol) && isOwn;
}
