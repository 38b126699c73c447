// How a name's certificate looks, and what the bell says of it.

import { describe, expect, it } from 'vitest';
import type { CertificateName, CertificateStage } from '../../contracts/certificates.ts';
import { lookOf, needsLook, warningOf } from '../../web/certificates.ts';
import { describeUntil } from '../../web/times.ts';

const error = { code: 'acme_dns', sentence: 'No address.', hint: 'Ask.', saying: null };
const name = (more: Partial<CertificateName> = {}): CertificateName => ({
  hostName: 'lab.test',
  certificate: null,
  isAsked: true,
  nextTryAt: null,
  error: null,
  job: null,
  ...more,
});
const shown = (stage: CertificateStage, daysLeft: number) => ({
  file: null,
  issuer: 'x',
  names: ['lab.test'],
  expiresAt: '2026-12-01T00:00:00Z',
  daysLeft,
  stage,
});
const said = (more: Partial<CertificateName>): string => `${lookOf(name(more)).word} (${lookOf(name(more)).tone})`;

describe('a host name', () => {
  it('without a certificate is on its way while one is asked for, otherwise it has none', () => {
    expect([said({}), said({ error }), said({ isAsked: false }), said({ error, job: { id: 'j', state: 'running' } })]).toEqual([
      'on its way (sky)',
      'none (brick)',
      'none (brick)',
      'getting one (sky)',
    ]);
  });

  it('with one says the days, and gets louder towards the end', () => {
    const stages = [
      ['good', 80],
      ['due', 28],
      ['soon', 12],
      ['late', 1],
      ['late', 0],
    ] as const;
    expect(stages.map(([stage, days]) => said({ certificate: shown(stage, days) }))).toEqual([
      '80 days left (moss)',
      '28 days left (moss)',
      '12 days left (amber)',
      '1 day left (brick)',
      'less than a day left (brick)',
    ]);
    expect(said({ certificate: shown('due', 28), error })).toBe('28 days left (amber)');
    expect([needsLook(name({ certificate: shown('good', 80) })), needsLook(name())]).toEqual([false, true]);
  });

  it('is told under the bell once for each certificate and stage, and only near its end', () => {
    const at = '2026-11-21T00:00:00Z';
    const of = (stage: CertificateStage) => warningOf(name({ certificate: shown(stage, 5) }), at);
    expect([of('good'), of('due')]).toEqual([null, null]);
    expect(of('soon')).toMatchObject({ text: 'The certificate of lab.test was not renewed: 5 days left.', to: '/system' });
    expect(of('soon')?.id).not.toBe(of('late')?.id);
    expect(of('late')?.id).toBe(of('late')?.id);
  });

  it('says when it is tried next', () => {
    const now = Date.parse('2026-11-21T12:00:00Z');
    expect([-5, 30, 2400, 7300, 200_000].map((seconds) => describeUntil(new Date(now + seconds * 1000).toISOString(), now))).toEqual([
      'in a moment',
      'in a moment',
      'in 40 minutes',
      'in 2 hours',
      'in 2 days',
    ]);
  });
});
