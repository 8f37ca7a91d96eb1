import type { Config } from '../config/settings.ts';
import { SkulkError } from '../kernel/errors.ts';
import { normalizeHostname } from '../kernel/machine/hostname.ts';
import { isOwnAddress } from '../kernel/machine/own-address.ts';
import { resolveName } from '../kernel/machine/resolve-name.ts';

/**
 * The configuration as a server goes by it: it is the store host when `store_host` names this machine or resolves to an address of it.
 * @param asked what `--role` says
 * @throws SkulkError CONFIG for a role that contradicts where `store_host` leads; STORE_NOT_CONFIGURED for a store that is switched off
 */
export async function decideRole(config: Config, asked: 'auto' | 'store' | 'node'): Promise<Config> {
  const { enabled, storeHost, storeUrl } = config.settings;
  if (!enabled.value) {
    if (asked !== 'store') return { ...config, isStoreHost: false };
    throw new SkulkError('STORE_NOT_CONFIGURED', 'the store is switched off (model_store.enabled is false)', {
      hint: 'set it to true, or serve with --role node',
    });
  }
  const name = storeHost.value;
  // A URL that somebody gave for this very call, or no name at all, contradicts nothing.
  if (storeUrl.value !== undefined || name === undefined)
    return { ...config, isStoreHost: asked === 'store' || (asked === 'auto' && config.isStoreHost) };
  const addresses = config.isStoreHost ? [] : await resolveName(normalizeHostname(name));
  const own = addresses.find(isOwnAddress);
  const isHere = config.isStoreHost || own !== undefined;
  const where = config.file === undefined ? 'the configuration' : config.file;
  if (asked === 'node' && isHere) {
    const why = own === undefined ? `that is this machine, ${config.hostname}` : `it resolves to ${own}, an address of this machine`;
    throw new SkulkError('CONFIG', `--role node contradicts store_host ${name}: ${why}`, {
      hint: `leave --role out to serve the store, or name the other machine in store_host in ${where}`,
    });
  }
  if (asked === 'store' && !isHere && addresses.length > 0)
    throw new SkulkError(
      'CONFIG',
      `this machine, ${config.hostname}, is to serve the store, but store_host ${name} resolves to ${addresses[0]}, which is another machine`,
      { hint: `leave --role and --store-path out to be a node of it, or write store_host: ${config.hostname} into ${where}` },
    );
  const aliases = isHere ? [...config.aliases, normalizeHostname(name)] : config.aliases;
  return { ...config, aliases, isStoreHost: isHere || asked === 'store' };
}
