import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HubAsker } from '../../../endpoint/contract.ts';
import { mayActAs } from '../../../kernel/role.ts';
import { viaHeader } from '../../../protocol/via.ts';
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

/** The web pages that may use the store as a Hub. */
export interface Origins {
  /** Sets the CORS headers of the answer. In any case, pages of other sites must not embed it. */
  mark(request: FastifyRequest, reply: FastifyReply): Promise<void>;
  /** The client's rights. Nothing is fetched for a page of another site: it could fill the disk through a visitor's browser. */
  askerOf(request: FastifyRequest): Promise<HubAsker>;
  /** Whether the whole LAN may read. */
  isPublic(): Promise<boolean>;
  /** Whether the client may read this machine's copies while the store is unreachable. */
  mayReadCopies(request: FastifyRequest): Promise<boolean>;
}

/**
 * If the LAN may read without a token, a page of any site could read the store through a visitor's browser. So the origin must be one of
 * this machine or in the list. If a token is required, a page without one reads nothing.
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
      const via = headers[viaHeader] === undefined ? {} : { via: String(headers[viaHeader]) };
      if (origin !== undefined && (await isAllowed(origin))) return { mayFetch: true, ...via };
      return { mayFetch: !isFromElsewhere(headers) && !/^Mozilla\//i.test(headers['user-agent'] ?? ''), ...via };
    },
  };
}

/** With this header, a node asks not to fetch anything for its client, because it does not forward the client's origin. */
export const noFetch = 'skulk-no-fetch';

/** Whether it is a page of a server on the user's own machine. */
function isLoopback(origin: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, hostname, origin: plain } = new URL(origin);
  const isOwn =
    hostname === 'localhost' || hostname.endsWith('.localhost') || /^127(?:\.\d{1,3}){3}$/.test(hostname) || hostname === '[::1]';
  return plain === origin && /^https?:$/.test(protocol) && isOwn;
}
