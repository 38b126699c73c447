// What the Hosts page says of a host, and of emptying it.

import { describe, expect, it } from 'vitest';
import type { SwarmHostView } from '../../contracts/hosts.ts';
import { describeDown, describeDrain, lookOf } from '../../web/hosts.ts';

const host: SwarmHostView = {
  id: 'two',
  name: 'two.lab',
  address: '10.0.0.2',
  role: 'worker',
  state: 'ready',
  awaySince: null,
  takesInstances: true,
  isPanelHost: false,
  cores: 4,
  memoryBytes: 8e9,
  instances: [],
};

describe('a host', () => {
  it('that is down is said to be, whatever it is used for', () => {
    expect(
      [lookOf(host), lookOf({ ...host, takesInstances: false }), lookOf({ ...host, state: 'down', takesInstances: false })].map(({ word }) => word),
    ).toEqual(['ready', 'takes no instances', 'down']);
  });

  it('names what moves when it is emptied, and who is in a session there', () => {
    const instances = [
      { name: 'trust', participantsInSession: 0 },
      { name: 'market', participantsInSession: 12 },
    ];
    const about = describeDrain({ ...host, instances });
    expect(about).toMatchObject({ people: 12, facts: '2 instances move to other hosts: trust, market (12 people in a session).' });
    expect(about.sentences.join(' ')).toContain('Each stops here and starts there');
  });

  it('that is the panel’s keeps panel, database and front door', () => {
    expect(describeDrain({ ...host, isPanelHost: true }).sentences.at(-1)).toBe('The panel, its database and the front door stay here.');
    expect(describeDrain(host)).toMatchObject({ facts: 'No instance runs here now.', sentences: ['New ones start on other hosts.'], people: 0 });
  });

  it('that is down is not emptied: it is kept from taking instances when it is back', () => {
    expect([describeDrain(host), describeDrain({ ...host, state: 'down' })]).toMatchObject([
      { title: 'Empty two.lab?', verb: 'Empty this host' },
      { title: 'Keep two.lab empty?', verb: 'Keep it empty', facts: expect.stringContaining('nothing runs here') },
    ]);
  });

  it('that is down says where its instances are, and what it does when it is back', () => {
    const [down, other] = [
      { ...host, state: 'down' as const },
      { ...host, id: 'one' },
    ];
    expect(describeDown(down, [down, other])).toBe(
      'What ran there is started again on other hosts, and stays there. When it is back, it takes instances again.',
    );
    const kept = { ...down, takesInstances: false };
    expect(describeDown(kept, [kept, other])).toContain('takes none until you choose “Use again”');
    for (const unable of [
      { ...other, takesInstances: false },
      { ...other, state: 'down' as const },
    ])
      expect(describeDown(down, [down, unable])).toContain('what ran there waits until one does');
  });
});
