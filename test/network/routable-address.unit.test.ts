import type { NetworkInterfaceInfo } from 'node:os';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseAdvertised, chooseRoutableAddress, isPublicAddress } from '../../src/core/connect/routable-address.ts';
import { testSeed } from '../helpers/seeded.ts';

const at = (address: string, internal = false): NetworkInterfaceInfo[] => [
  { address, internal, family: 'IPv4', netmask: '255.255.255.0', mac: '00:00:00:00:00:00', cidr: `${address}/24` },
];

describe('the address of this machine for other machines', () => {
  it.each([
    ['a home network before all others', { eth0: at('203.0.112.9'), wlan0: at('192.168.1.7') }, '192.168.1.7'],
    ['a shared address space before a public one', { eth0: at('8.8.8.8'), eth1: at('100.64.3.4') }, '100.64.3.4'],
    ['a public one when there is nothing else', { eth0: at('8.8.8.8') }, '8.8.8.8'],
    ['no bridge of containers', { docker0: at('172.17.0.1'), 'br-12ab': at('172.18.0.1'), en0: at('10.1.2.3') }, '10.1.2.3'],
    ['nothing that only this machine or this cable knows', { lo: at('127.0.0.1', true), en1: at('169.254.7.7') }, undefined],
    ['nothing from the ranges for documentation', { eth0: at('192.0.2.2') }, undefined],
    ['that of the LAN before that of a tunnel', { utun3: at('10.8.0.2'), en0: at('192.168.1.7') }, '192.168.1.7'],
    ['that of an overlay network when there is no other', { utun3: at('100.101.102.103'), utun4: [] }, '100.101.102.103'],
    [
      'no address of virtual machines',
      { vmnet8: at('192.168.200.1'), vboxnet0: at('192.168.56.1'), virbr0: at('192.168.122.1') },
      undefined,
    ],
    ['no multicast, broadcast or reserved number', { eth0: at('224.0.0.9'), eth1: at('255.255.255.255'), eth2: at('0.0.0.0') }, undefined],
    ['no IPv6 address, as the Python Skulk reads numbers with dots', { eth0: at('2001:db8::1') }, undefined],
  ])('is found when %s', (_, interfaces, expected) => {
    expect(chooseRoutableAddress(interfaces, undefined)).toBe(expected);
  });

  it.each([
    ['10.9.9.9', '10.9.9.9'],
    ['127.0.0.1', '192.168.1.7'],
    ['0.0.0.0', '192.168.1.7'],
    ['kite3.local', '192.168.1.7'],
  ])('is set by %s in the configuration to %s', (configured, expected) => {
    expect(chooseRoutableAddress({ en0: at('192.168.1.7') }, configured)).toBe(expected);
  });
});

describe('the addresses that a server reports to other machines', () => {
  const interfaces = { lo: at('127.0.0.1', true), eth0: at('10.0.0.7') };
  const common = { interfaces, listen: undefined, configured: undefined, hostname: 'kite3' };

  it.each([
    ['listens everywhere', {}, '10.0.0.7', true],
    ['listens on one address of the LAN', { listen: '10.0.0.9' }, '10.0.0.9', true],
    ['listens on loopback only', { listen: '127.0.0.1' }, '127.0.0.1', false],
    ['has an address configured', { listen: '127.0.0.1', configured: '192.168.7.7' }, '192.168.7.7', true],
    ['has no address but loopback', { interfaces: { lo: at('127.0.0.1', true) } }, 'kite3', false],
  ])('are correct: %s', (_, options, host, isRoutable) => {
    expect(chooseAdvertised({ ...common, ...options })).toMatchObject({ host, isRoutable, because: expect.any(String) });
  });
});

describe('for any network interfaces', () => {
  const byte = fc.integer({ min: 0, max: 255 });
  const anyAddress = fc.tuple(byte, byte, byte, byte).map((bytes) => bytes.join('.'));
  const special = fc.constantFrom('127.0.0.1', '127.9.9.9', '169.254.3.4', '0.0.0.0', '192.168.1.2', '10.0.0.1', '100.64.0.1', '8.8.8.8');
  const address = fc.oneof(anyAddress, special);
  const name = fc.constantFrom(
    'eth0',
    'en0',
    'wlan0',
    'wlp3s0',
    'lo',
    'docker0',
    'br-1',
    'veth9',
    'virbr0',
    'utun0',
    'tun0',
    'cni0',
    'br0',
  );
  const list = fc.dictionary(
    name,
    fc
      .array(fc.record({ address, internal: fc.boolean() }), { maxLength: 3 })
      .map((all) => all.flatMap((one) => at(one.address, one.internal))),
  );
  const isVirtual = (of: string): boolean => /^(docker|br-|veth|virbr|cni)/.test(of);
  const cannotBeReached = (number: string): boolean =>
    /^(0|127|22[4-9]|23\d|24\d|25\d)\.|^169\.254\.|^192\.0\.2\.|^198\.51\.100\.|^203\.0\.113\./.test(number);

  it('an address that others cannot reach is never chosen, and no address only if none is reachable', () => {
    fc.assert(
      fc.property(list, fc.option(fc.oneof(address, fc.constant('kite3.local')), { nil: undefined }), (interfaces, configured) => {
        const usable = Object.entries(interfaces)
          .filter(([of]) => !isVirtual(of))
          .flatMap(([, addresses]) => addresses)
          .filter((one) => !one.internal && !cannotBeReached(one.address))
          .map((one) => one.address);
        const named = configured === undefined || configured === 'kite3.local' || cannotBeReached(configured) ? [] : [configured];
        const chosen = chooseRoutableAddress(interfaces, configured);
        if (named.length > 0) expect(chosen).toBe(configured);
        else if (usable.length > 0) expect(usable).toContain(chosen);
        else expect(chosen).toBeUndefined();
        // RFC 1918 first.
        const isPrivate = (number: string): boolean => /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/.test(number);
        if (named.length === 0 && usable.some(isPrivate)) expect(isPrivate(chosen ?? '')).toBe(true);
      }),
      { numRuns: 2000, seed: testSeed },
    );
  });
});

it('a public address is distinguished from a LAN address', () => {
  expect(['8.8.8.8', '192.168.1.2', '10.0.0.1', '100.64.0.1', '127.0.0.1', 'kite3', '192.0.2.2'].map(isPublicAddress)).toEqual([
    true,
    false,
    false,
    false,
    false,
    false,
    false,
  ]);
});
