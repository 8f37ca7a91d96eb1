import { isIP } from 'node:net';
import { SkulkError } from '../kernel/errors.ts';
import { type Origin, placeOf } from './settings.ts';

/** The default port of a store's files. */
export const usualStorePort = 58080;

/** @throws SkulkError CONFIG for a text that cannot be the URL of a store */
export function checkStoreUrl(text: string, origin: Origin): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url !== undefined &&
    (url.protocol === 'http:' || url.protocol === 'https:') &&
    url.username === '' &&
    url.search === '' &&
    url.hash === ''
  )
    return;
  const who =
    origin.from === 'environment' || origin.from === 'flag'
      ? origin.name
      : origin.from === 'file'
        ? `${placeOf(origin)}${origin.key}`
        : 'the store URL';
  throw new SkulkError('CONFIG', `${who} is not the URL of a store: ${JSON.stringify(text.replace(/\/\/[^@/]*@/, '//…@'))}`, {
    hint: 'use the form http://192.168.1.10:58080; set a token in SKULK_TOKEN',
  });
}

/** A host with its port, or an address, means the file server there; a bare word may be anything. */
export function withScheme(text: string | undefined): string | undefined {
  const { host, port } = /^(?<host>[\w.-]+|\[[0-9a-f:.]+\])(?::(?<port>\d{1,5}))?\/?$/i.exec(text ?? '')?.groups ?? {};
  if (host === undefined || (port === undefined && isIP(host.replaceAll(/[[\]]/g, '')) === 0)) return text;
  return `http://${host}:${port ?? usualStorePort}`;
}

/** @throws SkulkError CONFIG for a URL, which would otherwise be looked up as a name */
export function checkStoreHost(text: string, origin: Origin): void {
  const hasPort = /^[^:]+:\d+$/.test(text);
  if (!hasPort && !/[/\s]/.test(text)) return;
  throw new SkulkError('CONFIG', `${placeOf(origin)}store_host is ${JSON.stringify(text)}, which is not a host name`, {
    hint: 'write only the name or address, e.g. mac-studio-1, and set the port in store_port',
  });
}
