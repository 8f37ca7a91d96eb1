import type { FastifyRequest } from 'fastify';

/** A name or an address with an optional port, and nothing else. */
const authority = /^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;

/**
 * The URL at which the client reached this server: with the name in its Host header, which `refuseWebPages` has accepted. If that is not
 * a host name, with the address of the connection.
 * @param path begins with `/`
 */
export function ownUrl({ protocol, headers, socket }: Pick<FastifyRequest, 'protocol' | 'headers' | 'socket'>, path: string): string {
  const { host = '' } = headers;
  return `${protocol}://${authority.test(host) ? host : addressOf(socket)}${path}`;
}

function addressOf({ localAddress = '127.0.0.1', localPort }: FastifyRequest['socket']): string {
  const address = localAddress.replace(/^::ffff:/, '');
  return `${address.includes(':') ? `[${address}]` : address}:${localPort}`;
}
