import { isIPv4 } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';

/** Interfaces of containers, virtual machines and bridges: their addresses mean nothing to other machines. */
const virtualInterface = /^(docker|br-|virbr|veth|vmnet|vboxnet|cni|flannel|cali|lxc|lxd|podman|tun|tap|utun|awdl|llw|bridge)/i;

/**
 * The address at which other machines of the LAN reach this one: the configured one if it is a routable IPv4, else the
 * best of the interfaces (RFC 1918 first, then 100.64/10 of RFC 6598, then any other). Pure.
 * @returns undefined when there is none; never loopback, link-local or unspecified
 */
export function chooseRoutableAddress(
  interfaces: Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>,
  configured: string | undefined,
): string | undefined {
  if (configured !== undefined && rank(configured) < unroutable) return configured;
  const candidates = Object.entries(interfaces)
    .filter(([name]) => !virtualInterface.test(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .filter(({ internal }) => !internal)
    .map(({ address }) => address);
  return candidates.toSorted((a, b) => rank(a) - rank(b)).find((address) => rank(address) < unroutable);
}

/** Ranges for documentation (RFC 5737); whoever has one of them has it for show. */
const documentation = /^(192\.0\.2|198\.51\.100|203\.0\.113)\./;

const unroutable = 9;

function rank(address: string): number {
  if (!isIPv4(address)) return unroutable;
  const [a = 0, b = 0] = address.split('.').map(Number);
  if (documentation.test(address) || a === 0 || a === 127 || a >= 224 || (a === 169 && b === 254)) return unroutable;
  if (a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168)) return 0;
  if (a === 100 && b >= 64 && b < 128) return 1;
  return 2;
}
