import { isIPv6 } from 'node:net';
import type { Config } from '../config/settings.ts';

/** The configured URL of the store; undefined if this machine is its host or none is configured. */
export function remoteUrl({ settings, isStoreHost }: Config): string | undefined {
  if (settings.storeUrl.value !== undefined) return settings.storeUrl.value.replace(/\/+$/, '');
  const { value: httpHost, origin } = settings.storeHttpHost;
  // `serve --advertise` sets the address of this machine, not of the store.
  const host = (origin.from === 'flag' ? undefined : httpHost) ?? settings.storeHost.value;
  if (isStoreHost || host === undefined) return undefined;
  return `http://${isIPv6(host) ? `[${host}]` : host}:${settings.storePort.value}`;
}
