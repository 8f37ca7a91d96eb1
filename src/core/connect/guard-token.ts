import { isIP } from 'node:net';
import { join } from 'node:path';
import type { TokenGuard } from '../client/http/token-guard.ts';
import type { Config } from '../config/settings.ts';
import { SkulkError } from '../kernel/errors.ts';
import { isMdnsName, normalizeHostname } from '../kernel/machine/hostname.ts';
import { isOwnAddress } from '../kernel/machine/own-address.ts';
import type { Deps } from './deps.ts';
import { remoteUrl } from './remote-url.ts';

/*
 * A token opens the store to anyone who has it, so it is only sent to a store that the user chose: by `--store` or SKULK_STORE, by an
 * address, by a name that the name service knows, or in `token_hosts` of machine.yaml. Anyone on the LAN can announce a store by mDNS and
 * answer for an mDNS name. A skulk.yaml in the working tree may have come with a repo.
 */

/**
 * Decides whether a token may be sent to the store at a URL. It only uses names; the address of a bare name is known after its lookup.
 * @param isOwnServer whether the URL was written to this machine's disk by its own server
 * @param url the URL of the store
 */
export function guardToken(config: Config, url: string, { isOwnServer = false }: { readonly isOwnServer?: boolean } = {}): TokenGuard {
  const { settings, tokenHosts, fileMayDirectToken, file } = config;
  const { hostname, port, host } = new URL(url);
  const name = normalizeHostname(hostname.replace(/^\[|\]$/g, ''));
  if (tokenHosts.some((one) => isSameTokenHost(one, [name, host.toLowerCase(), `${name}:${port}`]))) return {};
  const list = `token_hosts in ${join(config.skulkHome, 'machine.yaml')}`;
  const refuse = (why: string, hint: string): SkulkError =>
    new SkulkError('TOKEN_WITHHELD', `the token is not sent to the store at ${url}: ${why}`, { hint });
  const whenOnlyMdns = (_: string, address: string): SkulkError =>
    refuse(
      `${name} cannot be resolved by DNS, and anyone on the LAN can announce it by mDNS at ${address}`,
      `if that is your store, set its address: SKULK_STORE=${withHost(url, address)}, or add ${name} to ${list}`,
    );
  if (isOwnServer)
    return isOwnAddress(name)
      ? {}
      : {
          withheld: refuse(
            'that address comes only from the lock file of the store, and it is not an address of this machine',
            `if it is your store, set SKULK_STORE=${url}, or add ${name} to ${list}`,
          ),
        };
  // A URL from the user is explicit. An address needs no lookup, and a name is resolved before anything is sent.
  if (isGiven(config)) return { whenOnlyMdns };
  if (settings.storeUrl.value !== undefined || remoteUrl(config) !== url.replace(/\/+$/, ''))
    return {
      withheld: refuse(
        name === '127.0.0.1'
          ? 'that store is not configured; it was found at the usual port of this machine, where any user can start one'
          : 'that store is not configured; it was found by mDNS, and anyone can announce one',
        `if it is your store, set SKULK_STORE=${url}, or add ${name} to ${list}`,
      ),
    };
  // A token in the same file is the file's own secret.
  if (!fileMayDirectToken && settings.token.origin.from !== 'file')
    return {
      withheld: refuse(
        `it is named only by ${file}, and a file in the working directory may not decide where a token is sent`,
        `if it is your store, set SKULK_STORE=${url}, use --config ${file}, or add ${name} to ${list}`,
      ),
    };
  if (isMdnsName(name))
    return {
      withheld: refuse(
        `${name} is an mDNS name, and anyone on the LAN can answer for it`,
        `use the address of the store (SKULK_STORE=http://ADDRESS${port === '' ? '' : `:${port}`} or store_http_host), or add ${name} to ${list}`,
      ),
    };
  return isIP(name) === 0 ? { whenOnlyMdns } : {};
}

/**
 * Ends a node that could never send its store a request, because its configuration withholds the token.
 * @throws SkulkError TOKEN_WITHHELD
 */
export function requireTokenDestination({ config }: Pick<Deps, 'config'>): void {
  const url = remoteUrl(config);
  if (url === undefined || config.settings.token.value === undefined || !config.settings.enabled.value) return;
  const { withheld } = guardToken(config, url);
  if (withheld !== undefined) throw withheld;
}

/** Whether a flag or the environment selects the store. */
const isGiven = ({ settings: { storeUrl } }: Config): boolean =>
  storeUrl.value !== undefined && (storeUrl.origin.from === 'flag' || storeUrl.origin.from === 'environment');

/** As the user wrote it: a name or an address, optionally with a port. */
const isSameTokenHost = (entry: string, names: readonly string[]): boolean => {
  const plain = normalizeHostname(entry);
  return names.includes(plain) || names.includes(plain.replace(/^\[([^\]]*)\]$/, '$1'));
};

const withHost = (url: string, address: string): string => {
  const { protocol, port } = new URL(url);
  return `${protocol}//${address}${port === '' ? '' : `:${port}`}`;
};
