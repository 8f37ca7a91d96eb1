import { isIPv4 } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';
import { isLinkLocal } from '../kernel/machine/link-local.ts';

/** Interfaces of containers, virtual machines and bridges. Other machines cannot reach their addresses. */
const virtualInterface = /^(docker|br-|virbr|veth|vmnet|vboxnet|vEthernet|cni|flannel|cali|lxc|lxd|podman|awdl|llw|bridge)/i;
/** Of two addresses with the same rank, that of a cable or Wi-Fi is better than that of a tunnel, which only its other end can reach. */
const tunnel = /^(tun|tap|utun|wg|zt|tailscale|ppp|ipsec)/i;

/** The system's interfaces (`os.networkInterfaces`). */
export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** An address of this machine and its rank for others. */
export interface RankedAddress {
  readonly address: string;
  /** Null for the configured one. */
  readonly interface: string | null;
  readonly chosen: boolean;
  /** Why it is chosen, why it could be, or why it cannot. */
  readonly reason: string;
}

/** Ranges for documentation (RFC 5737); such an address is only an example. */
const documentation = /^(192\.0\.2|198\.51\.100|203\.0\.113)\./;

/** The reason that every machine has. */
export const loopback = 'it is a loopback address';

const publicRank = 2;
const unroutable = 9;

/**
 * The address of this machine for others on the LAN: the configured one if it is a routable IPv4, else the best of the interfaces (RFC
 * 1918 first, then 100.64/10 of RFC 6598, then any other). Pure.
 * @returns undefined if there is none; never loopback, link-local or unspecified
 */
export const chooseRoutableAddress = (interfaces: Interfaces, configured: string | undefined): string | undefined =>
  rankAddresses(interfaces, configured).find(({ chosen }) => chosen)?.address;

/** Every IPv4 address with the reason for or against it; the best first. Pure. */
export function rankAddresses(interfaces: Interfaces, configured: string | undefined): readonly RankedAddress[] {
  const own = Object.entries(interfaces).flatMap(([name, addresses]) =>
    (addresses ?? [])
      .filter(({ address }) => isIPv4(address))
      .map(({ address, internal }) => {
        const refusal = internal ? loopback : virtualInterface.test(name) ? `${name} belongs to containers or virtual machines` : undefined;
        const worth = refusal === undefined ? rank(address) : { rank: unroutable, reason: refusal };
        const isTunnel = worth.rank < unroutable && tunnel.test(name);
        return { address, interface: name as string | null, rank: worth.rank + (isTunnel ? 0.5 : 0), reason: worth.reason };
      }),
  );
  const named = configured === undefined ? [] : [{ address: configured, interface: null, ...rankConfigured(configured) }];
  const sorted = [...named, ...own.toSorted((a, b) => a.rank - b.rank)];
  const best = sorted.find((one) => one.rank < unroutable);
  return sorted.map((one) => ({ address: one.address, interface: one.interface, chosen: one === best, reason: one.reason }));
}

/** The address of a server for other machines, and its reason. */
export interface Advertised {
  /** An IPv4 address, or the machine's name if it has no suitable address. */
  readonly host: string;
  /** False: only this machine can reach it for certain. */
  readonly isRoutable: boolean;
  readonly because: string;
}

/** The announced address of a server that listens at `listen`, or everywhere if undefined. Pure. */
export function chooseAdvertised({
  interfaces,
  listen,
  configured,
  hostname,
}: {
  readonly interfaces: Interfaces;
  readonly listen: string | undefined;
  readonly configured: string | undefined;
  readonly hostname: string;
}): Advertised {
  const chosen = rankAddresses(interfaces, configured).find((one) => one.chosen);
  // A configured address takes a router or tunnel into account.
  if (chosen?.interface === null) return { host: chosen.address, isRoutable: true, because: chosen.reason };
  if (listen !== undefined && listen !== '0.0.0.0' && listen !== '::') {
    const { rank: worth, reason } = rank(listen);
    return { host: listen, isRoutable: worth < unroutable, because: `the server listens only there; ${reason}` };
  }
  if (chosen !== undefined) return { host: chosen.address, isRoutable: true, because: `${chosen.reason}, on ${chosen.interface}` };
  return { host: hostname, isRoutable: false, because: 'other machines cannot reach any address of this machine, so its name is used' };
}

/** Whether other machines can reach an IPv4 address, according to its number. */
export const isRoutable = (address: string): boolean => rank(address).rank < unroutable;

/** Whether an address of this machine can be reached from the internet, according to its number. */
export const isPublicAddress = (address: string): boolean => rank(address).rank === publicRank;

/** The addresses whose networks may contain other machines, best first: where to search for a store. Pure. */
export const lanAddresses = (interfaces: Interfaces): readonly string[] =>
  Object.entries(interfaces)
    .filter(([name]) => !virtualInterface.test(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .filter(({ address, internal }) => !internal && isIPv4(address))
    .map(({ address }) => address);

function rankConfigured(address: string): { readonly rank: number; readonly reason: string } {
  const { rank: worth, reason } = rank(address);
  return worth < unroutable ? { rank: -1, reason: 'it is configured' } : { rank: unroutable, reason: `it is configured, but ${reason}` };
}

function rank(address: string): { readonly rank: number; readonly reason: string } {
  if (!isIPv4(address)) return { rank: unroutable, reason: 'it is not an IPv4 address' };
  const [a = 0, b = 0] = address.split('.').map(Number);
  const refuse = (reason: string) => ({ rank: unroutable, reason });
  if (a === 127) return refuse(loopback);
  if (isLinkLocal(address)) return refuse('it is link-local');
  if (documentation.test(address) || a === 0 || a >= 224) return refuse('no machine can be reached at it');
  if (a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168)) return { rank: 0, reason: 'it is private (RFC 1918)' };
  if (a === 100 && b >= 64 && b < 128) return { rank: 1, reason: 'it is a shared or overlay network address (RFC 6598)' };
  return { rank: publicRank, reason: 'it is public' };
}
