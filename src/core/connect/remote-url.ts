import { isIPv6 } from 'node:net';
import type { Config } from '../config/settings.ts';

/** The URL that the configuration gives for the store, or undefined when this machine is its host or none is named. */
export function remoteUrl({ settings, isStoreHost }: Config): string | undefined {
  if (settings.storeUrl.value !== undefined) return settings.storeUrl.value.replace(/\/+$/, '');
  const { value: httpHost, origin } = settings.storeHttpHost;
  // `serve --advertise` says where this machine is reached, not where the store is.
  const host = (origin.from === 'flag' ? undefined : httpHost) ?? settings.storeHost.value;
  if (isStoreHost || host === undefined) return undefined;
  return `http://${isIPv6(host) ? `[${host}]` : host}:${settings.storePort.value}`;
}
