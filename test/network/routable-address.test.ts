import type { NetworkInterfaceInfo } from 'node:os';
import { describe, expect, it } from 'vitest';
import { chooseRoutableAddress, isPublicAddress } from '../../src/core/network/routable-address.ts';

const at = (address: string, internal = false): NetworkInterfaceInfo[] => [
  { address, internal, family: 'IPv4', netmask: '255.255.255.0', mac: '00:00:00:00:00:00', cidr: `${address}/24` },
];

describe('the address at which others reach this machine', () => {
  it.each([
    ['a home network before all others', { eth0: at('203.0.112.9'), wlan0: at('192.168.1.7') }, '192.168.1.7'],
    ['a shared address space before a public one', { eth0: at('8.8.8.8'), eth1: at('100.64.3.4') }, '100.64.3.4'],
    ['a public one when there is nothing else', { eth0: at('8.8.8.8') }, '8.8.8.8'],
    ['no bridge of containers', { docker0: at('172.17.0.1'), 'br-12ab': at('172.18.0.1'), en0: at('10.1.2.3') }, '10.1.2.3'],
    ['nothing that only this machine or this cable knows', { lo: at('127.0.0.1', true), en1: at('169.254.7.7') }, undefined],
    ['nothing from the ranges for documentation', { eth0: at('192.0.2.2') }, undefined],
  ])('is %s', (_, interfaces, expected) => {
    expect(chooseRoutableAddress(interfaces, undefined)).toBe(expected);
  });

  it.each([
    ['10.9.9.9', '10.9.9.9'],
    ['127.0.0.1', '192.168.1.7'],
    ['0.0.0.0', '192.168.1.7'],
    ['kite3.local', '192.168.1.7'],
  ])('%s in the configuration gives %s', (configured, expected) => {
    expect(chooseRoutableAddress({ en0: at('192.168.1.7') }, configured)).toBe(expected);
  });
});

it('a public address is told from one of a LAN', () => {
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
