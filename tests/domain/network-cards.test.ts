// Which addresses of a machine are told to people.

import type os from 'node:os';
import { expect, it } from 'vitest';
import { findCards } from '../../domain/network-cards.ts';

const card = (address: string, internal = false): os.NetworkInterfaceInfo[] => [
  address.includes(':')
    ? { address, internal, family: 'IPv6', netmask: 'ffff::', mac: '02:00:00:00:00:01', cidr: null, scopeid: 0 }
    : { address, internal, family: 'IPv4', netmask: '255.255.255.0', mac: '02:00:00:00:00:01', cidr: null },
];

it('leaves out the loopback, the cable’s own, and what container engines made', () => {
  const found = findCards({
    lo: card('127.0.0.1', true),
    eth0: [...card('192.0.2.10'), ...card('2001:db8::10'), ...card('fe80::1')],
    br0: card('198.51.100.4'),
    docker0: card('172.17.0.1'),
    docker_gwbridge: card('172.18.0.1'),
    'br-0c4f1a2b3c4d': card('172.19.0.1'),
    veth12ab: card('169.254.3.1'),
  });
  expect(found).toEqual([
    { card: 'eth0', address: '192.0.2.10', isIPv4: true },
    { card: 'eth0', address: '2001:db8::10', isIPv4: false },
    { card: 'br0', address: '198.51.100.4', isIPv4: true },
  ]);
});
