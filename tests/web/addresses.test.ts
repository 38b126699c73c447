// Addresses, filters and forms of the pages.

import { describe, expect, it } from 'vitest';
import { createInstanceSchema, type InstanceSummary } from '../../contracts/instances.ts';
import { signInSchema } from '../../contracts/people.ts';
import { instancePath, readBack } from '../../web/addresses.ts';
import { checkValues } from '../../web/form.ts';
import { chooseInstances, countStates, freeSampleName, readFilter } from '../../web/instance-filter.ts';
import { systemsFor } from '../../web/operating-systems.ts';

describe('readBack', () => {
  it('leads back into the panel and nowhere else', () => {
    expect(readBack('/instances/trust-game?x=1')).toBe('/instances/trust-game?x=1');
    for (const foreign of ['https://evil.example', '//evil.example', String.raw`/\evil.example`, 'javascript:alert(1)', '', null])
      expect(readBack(foreign)).toBe('/');
  });

  it('does not lead in a circle', () => {
    expect(readBack('/sign-in?back=/')).toBe('/');
  });
});

describe('dashboard filter', () => {
  const instance = (name: string, state: InstanceSummary['state'], ownerId: string): InstanceSummary =>
    ({ id: name, name, state, owner: { id: ownerId, name: ownerId === 'me' ? 'Ada' : 'Christian' }, otreeVersion: null }) as InstanceSummary;
  const list = [instance('trust-10', 'running', 'me'), instance('trust-9', 'waiting', 'other'), instance('auction', 'running', 'other')];
  const names = (search: string): string[] => chooseInstances(list, readFilter(new URLSearchParams(search)), 'me').map(({ name }) => name);

  it('shows all by name, numbers as people count', () => {
    expect(names('')).toEqual(['auction', 'trust-9', 'trust-10']);
  });

  it('narrows by words, owner and state', () => {
    expect(names('q=TRUST')).toEqual(['trust-9', 'trust-10']);
    expect(names('q=trust christian')).toEqual(['trust-9']);
    expect(names('of=me')).toEqual(['trust-10']);
    expect(names('state=running')).toEqual(['auction', 'trust-10']);
    expect(names('state=nonsense')).toHaveLength(3);
  });

  it('counts the states that occur', () => {
    expect(countStates(list)).toEqual([
      { state: 'running', count: 2 },
      { state: 'waiting', count: 1 },
    ]);
  });

  it('finds a free name for the sample', () => {
    expect(freeSampleName([])).toBe('sample');
    expect(freeSampleName(['sample', 'sample-2'])).toBe('sample-3');
  });
});

describe('forms', () => {
  it('asks for what is empty and explains what does not fit', () => {
    expect(checkValues({ schema: signInSchema }, { login: '', password: 'x' }).remarks).toEqual({ login: 'Please fill this in.' });
    expect(checkValues({ schema: createInstanceSchema }, { name: 'A', ownerId: '' }).remarks['name']).toBe('At least 3 characters.');
  });

  it('gives the body that may be sent, without empty fields', () => {
    expect(checkValues({ schema: createInstanceSchema }, { name: ' trust-game ', ownerId: '' }).body).toEqual({ name: 'trust-game' });
  });
});

describe('names in addresses', () => {
  it('are escaped', () => {
    expect(instancePath('a/b', 'data')).toBe('/instances/a%2Fb/data');
  });
});

describe('systemsFor', () => {
  it.each([
    ['Win32', 'Windows'],
    ['MacIntel', 'macOS'],
    ['Linux x86_64', 'Linux'],
    ['', 'Windows'],
  ])('puts the reader of “%s” first: %s', (platform, first) => {
    const systems = systemsFor(platform);
    expect(systems[0]).toBe(first);
    expect(systems).toHaveLength(3);
  });
});
