import type { Config } from '../config/settings.ts';
import { SkulkError } from '../kernel/errors.ts';
import { normalizeHostname } from '../kernel/machine/hostname.ts';
import { isOwnAddress } from '../kernel/machine/own-address.ts';
import { resolveName } from '../kernel/machine/resolve-name.ts';

/**
 * The configuration with the server's role: it is the store host if `store_host` names this machine or resolves to one of its addresses.
 * @param asked the value of `--role`
 * @throws SkulkError CONFIG for a role that contradicts `store_host`; STORE_NOT_CONFIGURED for a disabled store
 */
export async function decideRole(config: Config, asked: 'auto' | 'store' | 'node'): Promise<Config> {
  const { enabled, storeHost, storeUrl } = config.settings;
  if (!enabled.value) {
    if (asked !== 'store') return { ...config, isStoreHost: false };
    throw new SkulkError('STORE_NOT_CONFIGURED', 'the store is disabled (model_store.enabled is false)', {
      hint: `set model_store.enabled to true in ${config.file ?? 'the configuration'}, or use --role node`,
    });
  }
  const name = storeHost.value;
  // A URL for this single call, or a missing name, contradicts nothing.
  if (storeUrl.value !== undefined || name === undefined)
    return { ...config, isStoreHost: asked === 'store' || (asked === 'auto' && config.isStoreHost) };
  const addresses = config.isStoreHost ? [] : await resolveName(normalizeHostname(name));
  const own = addresses.find(isOwnAddress);
  const isHere = config.isStoreHost || own !== undefined;
  const where = config.file === undefined ? 'the configuration' : config.file;
  if (asked === 'node' && isHere) {
    const why = own === undefined ? `that is this machine, ${config.hostname}` : `it resolves to ${own}, an address of this machine`;
    throw new SkulkError('CONFIG', `--role node contradicts store_host ${name}: ${why}`, {
      hint: `omit --role to serve the store, or set store_host to the other machine in ${where}`,
    });
  }
  if (asked === 'store' && !isHere && addresses.length > 0)
    throw new SkulkError(
      'CONFIG',
      `this machine, ${config.hostname}, was asked to serve the store, but store_host ${name} resolves to ${addresses[0]}, another machine`,
      { hint: `omit --role and --store-path to be a node of it, or set store_host: ${config.hostname} in ${where}` },
    );
  const aliases = isHere ? [...config.aliases, normalizeHostname(name)] : config.aliases;
  return { ...config, aliases, isStoreHost: isHere || asked === 'store' };
}
