// Addresses, filters and forms of the pages.

import { describe, expect, it } from 'vitest';
import { createInstanceSchema } from '../../contracts/instances.ts';
import { signInSchema } from '../../contracts/people.ts';
import { instancePath, readBack } from '../../web/addresses.ts';
import { checkValues } from '../../web/form.ts';
import { freeSampleName, queryOf, readWish } from '../../web/instance-filter.ts';
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
  const asked = (address: string): Record<string, string> => Object.fromEntries(new URLSearchParams(queryOf(readWish(new URLSearchParams(address)))));

  it('asks for what stands in the address, and for everything by name when nothing does', () => {
    expect(asked('')).toEqual({ search: '', filter: 'all', sort: 'name', page: '1' });
    expect(asked('q=trust&of=shared&state=running&owner=ada&sort=activity&page=3')).toEqual({
      search: 'trust',
      filter: 'shared',
      state: 'running',
      owner: 'ada',
      sort: 'activity',
      page: '3',
    });
  });

  it('turns the order round that a sort begins with', () => {
    expect(asked('sort=activity&order=reversed')['order']).toBe('asc');
    expect(asked('order=reversed')['order']).toBe('desc');
  });

  it('leaves out what nobody knows', () => {
    expect(asked('of=nobody&state=nonsense&sort=luck&page=-1')).toEqual({ search: '', filter: 'all', sort: 'name', page: '1' });
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
