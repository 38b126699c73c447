// Addresses of this machine at which others can reach it.

import os from 'node:os';

/** Cards that Docker and other engines make for their own networks; nobody outside reaches them. */
const madeByEngines = /^(?:docker|br-|veth|cni|virbr|podman|lxc|flannel|cali)/;

export type CardAddress = { readonly card: string; readonly address: string; readonly isIPv4: boolean };

/** Of all network cards of its own; those that only a neighbour on the same cable could use are left out. @param interfaces as Node lists them */
export const findCards = (interfaces: ReturnType<typeof os.networkInterfaces> = os.networkInterfaces()): CardAddress[] =>
  Object.entries(interfaces)
    .filter(([card]) => !madeByEngines.test(card))
    .flatMap(([card, list]) => (list ?? []).filter(({ internal }) => !internal).map(({ address, family }) => ({ card, address, isIPv4: family === 'IPv4' })))
    .filter(({ address }) => !address.startsWith('fe80:'));
