import { isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { SkulkError } from '../kernel/errors.ts';
import { describeFailure } from '../kernel/explain-system-error.ts';
import type { NodeId } from '../kernel/machine/node-id.ts';
import type { Deps } from './deps.ts';
import { mayUseMdns } from './may-use-mdns.ts';
import { type Advertised, chooseAdvertised, isPublicAddress, isRoutable, lanAddresses } from './routable-address.ts';

/**
 * The address of a server on this machine for other machines, with its current interfaces.
 * @param listen the single address that it listens at; undefined for all
 */
export function advertisedAddress({ config, world }: Deps, { listen }: { readonly listen: string | undefined }): Advertised {
  const { value, origin } = config.settings.storeHttpHost;
  if (value !== undefined && origin.from === 'flag')
    return { host: value, isRoutable: isRoutable(value), because: `${origin.name} says so` };
  // In a configuration that all machines share, it is the address of the store host.
  const configured = config.isStoreHost ? value : undefined;
  return chooseAdvertised({ interfaces: networkInterfaces(), listen, configured, hostname: world.hostname });
}

/**
 * `--advertise` sets the address explicitly, also one that this machine would not choose.
 * @throws SkulkError USAGE if it is not an IPv4 address
 */
export function checkAdvertise({ config, world }: Deps): void {
  const { value, origin } = config.settings.storeHttpHost;
  if (value === undefined || origin.from !== 'flag') return;
  if (!isIPv4(value))
    throw new SkulkError('USAGE', `${origin.name} must be an IPv4 address, not ${JSON.stringify(value.slice(0, 80))}`, {
      hint: 'e.g. --advertise 192.168.1.10; `skulk discover --explain` lists those of this machine',
    });
  if (!isRoutable(value)) world.emit({ type: 'warning', message: `${origin.name} ${value}: other machines cannot reach that address` });
}

/** Without a token, anyone who can reach this machine can delete models. */
export function warnOfInternet({ config, world }: Deps, { listen }: { readonly listen: string | undefined }): void {
  if (config.settings.token.value !== undefined) return;
  const everywhere = listen === undefined || listen === '0.0.0.0' || listen === '::';
  const open = (everywhere ? lanAddresses(networkInterfaces()) : [listen]).find(isPublicAddress);
  if (open === undefined) return;
  world.emit({
    type: 'warning',
    message: `${open} may be reachable from the internet, and no token is set: anyone who can reach it can read and delete models`,
    hint: 'run `skulk policy set lan none`, set SKULK_TOKEN, or serve on a LAN address with --host',
  });
}

/** Announces a store by mDNS if other machines can reach it. A failure is only reported. */
export async function announce(
  deps: Deps,
  { at, port, nodeId }: { readonly at: Advertised; readonly port: number; readonly nodeId: NodeId },
): Promise<{ stop(): Promise<void> } | undefined> {
  if (!at.isRoutable || !mayUseMdns(deps)) return undefined;
  const { hostname, version, emit } = deps.world;
  try {
    const { announceStore } = await import('./mdns.ts');
    const onProblem = (message: string): void => emit({ type: 'warning', message });
    return announceStore({ hostname, nodeId, version, address: at.host, port }, onProblem);
  } catch (error) {
    emit({ type: 'warning', message: describeFailure('the store is not announced by mDNS', error) });
    return undefined;
  }
}
