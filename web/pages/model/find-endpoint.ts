import type { Session } from '../../../src/core/protocol/access.ts';
import type { NodeIdentity } from '../../../src/core/protocol/health.ts';
import type { Endpoint } from '../../api/programs.ts';

/** Addresses that mean the machine on which they are typed. */
const loopback = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/i;

/**
 * Where programs find this server. A person on the machine itself sees the address that other machines reach, so that a line can be
 * taken to any of them. Pure.
 * @param at of the page
 */
export function findEndpoint(
  at: { readonly protocol: string; readonly hostname: string; readonly port: string; readonly origin: string },
  { preferred_address: address }: Pick<NodeIdentity, 'preferred_address'>,
  { lan }: Pick<Session, 'lan'>,
): Endpoint {
  const port = at.port === '' ? '' : `:${at.port}`;
  const isHere = loopback.test(at.hostname) && address !== null;
  return { address: isHere ? `${at.protocol}//${address}${port}` : at.origin, needsToken: lan === 'none' };
}
