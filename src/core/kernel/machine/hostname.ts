import { isIP } from 'node:net';

/** Normalizes a hostname for comparison: lower case, without a trailing dot. */
export const normalizeHostname = (name: string): string => name.toLowerCase().replace(/\.$/, '');

/**
 * Whether two hostnames mean one machine. They must be equal without case and trailing dot, or one is the first label of the other
 * (`kite3`, `kite3.local`, `kite3.example.com`). Two different full names do not match, because only a DNS lookup could decide. An
 * address has no labels.
 */
export function sameHostname(a: string, b: string): boolean {
  const [one, other] = [normalizeHostname(a), normalizeHostname(b)];
  if (one === other) return true;
  if (one === '' || other === '' || isIP(one) !== 0 || isIP(other) !== 0) return false;
  return (isBare(one) && firstLabel(other) === one) || (isBare(other) && firstLabel(one) === other);
}

/** Whether a hostname has a domain. */
export const isFullName = (name: string): boolean => isIP(name) === 0 && !isBare(normalizeHostname(name));

/** The first label of a hostname, for comparison. */
export const firstLabel = (name: string): string => normalizeHostname(name).split('.', 1)[0] ?? '';

/** Whether only mDNS can resolve a name (RFC 6762). */
export const isMdnsName = (name: string): boolean => normalizeHostname(name).endsWith('.local');

const isBare = (name: string): boolean => !name.includes('.');
