import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import type { Config } from '../config/settings.ts';
import { firstLabel, normalizeHostname } from '../kernel/machine/hostname.ts';
import { isOwnAddress } from '../kernel/machine/own-address.ts';
import { lanAddresses } from './routable-address.ts';

/*
 * The names under which a server lets itself be asked. That a name resolves to this machine is not enough: whoever owns a name can have
 * it resolve to any address, and that is what DNS rebinding is. So a name counts when this machine's own files give it (its hostname,
 * skulk.yaml, /etc/hosts, the search domains of its resolver), or when the name service calls one of its addresses by its own hostname
 * and some domain; a page of another site controls none of these.
 */

const patienceMs = 1_000;
/** A machine with more has networks of containers or tunnels. */
const maxAddresses = 4;

/** What this machine is called beside its addresses. Never fails; what is not found out within a second is left out. */
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
 * The names that the text of a hosts file gives to addresses of this machine. Lists that block advertisements give loopback addresses to
 * names of strangers, so of those only what begins with a label of this machine counts.
 */
export const namesInHosts = (text: string, labels: readonly string[]): readonly string[] =>
  text.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (address === '' || !isOwnAddress(address)) return [];
    const isLoopback = /^(?:127\.|::1$)/.test(address);
    return names.map(normalizeHostname).filter((name) => !isLoopback || labels.includes(firstLabel(name)));
  });

/** The domains in which the resolver looks for a bare name; the last line wins (resolv.conf(5)). */
export function searchDomains(text: string): readonly string[] {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/));
  const last = lines.findLast(([keyword]) => keyword === 'search' || keyword === 'domain');
  return (last?.slice(1) ?? []).map(normalizeHostname).filter((domain) => domain !== '');
}

const textOf = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

/** What the name service calls the addresses of this machine. The system's own way would hold up a thread for as long as it takes. */
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
