import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import type { Config } from '../config/settings.ts';
import { firstLabel, normalizeHostname } from '../kernel/machine/hostname.ts';
import { isOwnAddress } from '../kernel/machine/own-address.ts';
import { lanAddresses } from './routable-address.ts';

/*
 * The names that a server accepts in requests. It is not enough that a name resolves to this machine: anyone can let their own name
 * resolve to any address, which is what DNS rebinding does. So a name counts if this machine's own files contain it (its hostname,
 * skulk.yaml, /etc/hosts, the resolver's search domains), or if the name service maps one of its addresses to its own hostname in some
 * domain. A page of another site controls none of these.
 */

const patienceMs = 1_000;
/** A machine with more has networks of containers or tunnels. */
const maxAddresses = 4;

/** The names of this machine beside its addresses. Never fails; omits names that are not found within a second. */
export async function ownNames({ hostname, nodeId, settings, isStoreHost, aliases }: Config): Promise<readonly string[]> {
  const { storeHost, storeHttpHost } = settings;
  const given = [hostname, nodeId, storeHost.value, storeHttpHost.value].filter((name) => name !== undefined);
  const labels = [hostname, ...(isStoreHost && storeHost.value !== undefined ? [storeHost.value] : [])].map(firstLabel);
  const [hosts, resolv, reverse] = await Promise.all([textOf('/etc/hosts'), textOf('/etc/resolv.conf'), reverseNames()]);
  return [
    ...given,
    ...aliases,
    ...namesInHosts(hosts, labels),
    ...searchDomains(resolv).flatMap((domain) => labels.map((label) => `${label}.${domain}`)),
    ...reverse.filter((name) => labels.includes(firstLabel(name))),
  ];
}

/**
 * The names for addresses of this machine in a hosts file. Lists that block advertisements map foreign names to loopback addresses, so
 * those must begin with a label of this machine.
 */
export const namesInHosts = (text: string, labels: readonly string[]): readonly string[] =>
  text.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (address === '' || !isOwnAddress(address)) return [];
    const isLoopback = /^(?:127\.|::1$)/.test(address);
    return names.map(normalizeHostname).filter((name) => !isLoopback || labels.includes(firstLabel(name)));
  });

/** The search domains of the resolver for a bare name; the last line wins (resolv.conf(5)). */
export function searchDomains(text: string): readonly string[] {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/));
  const last = lines.findLast(([keyword]) => keyword === 'search' || keyword === 'domain');
  return (last?.slice(1) ?? []).map(normalizeHostname).filter((domain) => domain !== '');
}

const textOf = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

/** The reverse names of this machine's addresses. The system's own lookup would block a thread. */
async function reverseNames(): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: patienceMs, tries: 1 });
  const timer = setTimeout(() => resolver.cancel(), patienceMs);
  const found = await Promise.all(
    lanAddresses(networkInterfaces())
      .slice(0, maxAddresses)
      .map((address) => resolver.reverse(address).catch(() => [])),
  );
  clearTimeout(timer);
  return found.flat().map(normalizeHostname);
}
