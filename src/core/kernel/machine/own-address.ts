import { networkInterfaces } from 'node:os';

/** Whether a socket's address is one of this machine, loopback included. */
export function isOwnAddress(address: string): boolean {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (/^127\./.test(plain)) return true;
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some((own) => own.address === plain));
}
