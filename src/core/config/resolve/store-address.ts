import { isIP } from 'node:net';
import { SkulkError } from '../../kernel/errors.ts';
import { type Origin, placeOf } from '../settings.ts';

/** The default port of a store's files. */
export const usualStorePort = 58080;

/**
 * Checks a URL of a store.
 * @param tokenName the variable of the token for that store
 * @throws SkulkError CONFIG for a text that cannot be the URL of a store
 */
export function checkStoreUrl(text: string, origin: Origin, tokenName = 'SKULK_TOKEN'): void {
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
    hint: `${hasHighPort(text) ? 'a port is a number from 1 to 65535; ' : ''}${formFor(text, url)}; set a token in ${tokenName}`,
  });
}

/** How to write the URL of the store. A bare name and the link of the page show which store is meant. */
function formFor(text: string, url: URL | undefined): string {
  if (/^[\w.-]+$/.test(text)) return `use the form http://${text}:${usualStorePort}`;
  if (url?.protocol === 'http:' && /^#code=/.test(url.hash) && url.username === '')
    return `this is a link to the page; the store is at another port of that machine, usually http://${url.hostname}:${usualStorePort}`;
  return 'use the form http://192.168.1.10:58080';
}

const hasHighPort = (text: string): boolean => Number(/:(\d+)\/?$/.exec(text)?.[1] ?? 0) > 65_535;

/** A host with its port, or an address, means the file server there; a bare word may be anything. */
export function withScheme(text: string | undefined): string | undefined {
  const { host, port } = /^(?<host>[\w.-]+|\[[0-9a-f:.]+\])(?::(?<port>\d{1,5}))?\/?$/i.exec(text ?? '')?.groups ?? {};
  if (host === undefined || (port === undefined && isIP(host.replaceAll(/[[\]]/g, '')) === 0)) return text;
  return `http://${host}:${port ?? usualStorePort}`;
}

/** The URL of a store as a user types it: the scheme may be missing. @throws SkulkError CONFIG */
export function parseStoreUrl(text: string, origin: Origin, tokenName: string): string {
  const url = withScheme(text) ?? text;
  checkStoreUrl(url, origin, tokenName);
  return url.replace(/\/+$/, '');
}

/** The URLs of stores to read from: from the environment, else from machine.yaml. @throws SkulkError CONFIG */
export function readSecondStores(text: string | undefined, listed: readonly string[], file: string): readonly string[] {
  const given = text?.split(',').flatMap((one) => one.trim() || []);
  const origin: Origin =
    given === undefined
      ? { from: 'file', file, line: undefined, key: 'second_stores' }
      : { from: 'environment', name: 'SKULK_SECOND_STORES' };
  return (given ?? listed).map((one) => parseStoreUrl(one, origin, 'SKULK_SECOND_TOKEN'));
}

/**
 * @param key the key of the file, for the message
 * @throws SkulkError CONFIG for a URL, which would otherwise be looked up as a name, and for a text that no URL can contain as its host
 */
export function checkHost(text: string, origin: Origin, key: 'store_host' | 'store_http_host'): void {
  const hasPort = /^[^:]+:\d+$/.test(text);
  const host = isIP(text) === 6 ? `[${text}]` : text;
  if (!hasPort && !/[/\\\s@?#]/.test(text) && URL.canParse(`http://${host}:${usualStorePort}`)) return;
  throw new SkulkError('CONFIG', `${placeOf(origin)}${key} is ${JSON.stringify(text)}, which is not a host name`, {
    hint: 'write only the name or address, e.g. mac-studio-1, and set the port in store_port',
  });
}
