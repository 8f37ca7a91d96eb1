import type { Config } from '../../config/settings.ts';
import { isMdnsName, normalizeHostname } from '../../kernel/machine/hostname.ts';
import { resolveName } from '../../kernel/machine/resolve-name.ts';
import { guardToken } from '../guard-token.ts';
import { remoteUrl } from '../remote-url.ts';

/**
 * What a user must set beside a token so that it is sent to the store at a URL, and why; undefined if a token alone is enough. Without it,
 * a user would set the token first, and only then learn that it is not sent.
 * @param learned the address that mDNS had for the name in the URL, if it was asked
 */
export async function tokenNeeds(
  config: Config,
  url: string,
  { isOwnServer, learned }: { readonly isOwnServer: boolean; readonly learned: string | undefined },
): Promise<string | undefined> {
  const { withheld, whenOnlyMdns } = guardToken(config, url, { isOwnServer });
  if (withheld === undefined && (whenOnlyMdns === undefined || learned === undefined)) return undefined;
  const chosen = new URL(url);
  const isMdns = isMdnsName(normalizeHostname(chosen.hostname));
  const address = learned ?? (isMdns ? (await resolveName(chosen.hostname))[0] : undefined);
  if (address !== undefined) chosen.hostname = address.includes(':') ? `[${address}]` : address;
  const set = `SKULK_STORE=${chosen.origin}`;
  if (remoteUrl(config) !== url.replace(/\/+$/, '')) return `${set}, because no token is sent to a store that no setting names`;
  if (isMdns || learned !== undefined)
    return `${set} or store_http_host: ${address ?? 'ADDRESS'}, because no token is sent to a name that only mDNS knows`;
  return `${set}, because a file in the working directory may not decide where a token is sent`;
}
