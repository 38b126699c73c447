// What the dialog says before an address is changed.

import { describe, expect, it } from 'vitest';
import { addressModes } from '../../contracts/addresses.ts';
import { addressMeanings, describeAddressChange, sharedOrigin } from '../../web/instance-addresses.ts';

const from = 'https://trust.otree.test';
const say = (more: Partial<Parameters<typeof describeAddressChange>[0]> = {}): string =>
  describeAddressChange({ from, choice: { mode: 'port', restarts: false }, keepsOld: true, people: 0, hasProject: true, ...more }).join(' ');

describe('the consequences of another address', () => {
  it('name the old address and whether it goes on', () => {
    expect(say()).toContain(`say ${from}. They lead to the new address`);
    expect(say({ keepsOld: false })).toContain('They lead nowhere from then on: hand out new ones.');
  });

  it('say whether the experiment restarts, once there is one', () => {
    expect(say()).toContain('goes on without a restart');
    expect(say({ choice: { mode: 'path', restarts: true } })).toContain('The experiment restarts, because oTree has to know its path.');
    expect(say({ hasProject: false })).not.toMatch(/restart|signed in/);
  });

  it('say what people in a session will see', () => {
    expect(say()).not.toContain('in a session');
    expect(say({ people: 2 })).toContain('goes on at the new address with the next click');
    expect(say({ people: 2, keepsOld: false })).toContain('finds nobody with the next click');
  });

  it('say what a path shares', () => {
    expect(say({ choice: { mode: 'path', restarts: false } })).toContain(sharedOrigin);
    expect(say()).not.toContain(sharedOrigin);
  });
});

it('every kind has a sentence', () => {
  for (const mode of addressModes) expect(addressMeanings[mode]).toMatch(/\.$/);
});
