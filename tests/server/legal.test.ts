// Imprint and privacy: who writes, what everybody reads, and what a hostile text cannot do.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderMarkdown } from '../../server/legal-page.ts';
import { plainCss } from '../../server/plain-page.ts';
import { startPanel, type Client, type TestPanel } from './panel.ts';

let panel: TestPanel;
let manager: Client;
beforeAll(async () => {
  panel = await startPanel();
  manager = await panel.signIn(await panel.person('manager'));
});
afterAll(() => panel.close());

const page = (name: string): Promise<Response> => fetch(`${panel.url}/legal/${name}`, { headers: { accept: 'text/html' } });
const seenAt = async (): Promise<string | null> => {
  const { body } = await manager.send('GET', '/legal');
  return (body['pages'] as { name: string; updatedAt: string | null }[]).find(({ name }) => name === 'imprint')?.updatedAt ?? null;
};

describe('a legal page', () => {
  it('is there for everybody as soon as it has a text, without script and without a sign-in', async () => {
    expect((await page('imprint')).status).toBe(404);
    expect((await manager.send('PATCH', '/legal/imprint', { text: '# Imprint\n\nThe **lab** <script>alert(1)</script>', seenAt: null })).status).toBe(200);
    const answer = await page('imprint');
    const html = await answer.text();
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(html).toContain('<strong>lab</strong>');
    expect(html).not.toContain('<script');
    // The look of the other plain pages, with the way back, and one heading.
    expect(html).toContain('<a class="brand" href="/">');
    expect(html.match(/<h1/g)).toHaveLength(1);
    const [, css = ''] = /<link rel="stylesheet" href="([^"]+)"/.exec(html) ?? [];
    expect(await (await fetch(new URL(css, panel.url))).text()).toBe(plainCss);
    expect((await (await fetch(`${panel.url}/api/v1/panel`)).json()) as unknown).toMatchObject({ legalPages: ['imprint'] });
    expect((await page('no-such-page')).status).toBe(404);
  });

  it('is linked from a participant’s page, in the participant’s language', async () => {
    await manager.send('PATCH', '/legal/imprint', { text: 'The lab', seenAt: await seenAt() });
    const lobby = await fetch(`${panel.url}/lobby/no-such-instance`, { headers: { 'accept-language': 'de' } });
    expect(await lobby.text()).toContain('<a href="/legal/imprint">Impressum</a>');
  });

  it('saved by two managers at once is one text, and the other is told whose', async () => {
    const seen = await seenAt();
    const answers = await Promise.all(['one', 'two'].map((text) => manager.send('PATCH', '/legal/imprint', { text, seenAt: seen })));
    expect(answers.map(({ status }) => status).toSorted((one, two) => one - two)).toEqual([200, 409]);
    expect(answers.find(({ status }) => status === 409)?.body['title']).toContain(manager.me?.person.name);
  });

  it('is gone with an empty text', async () => {
    await manager.send('PATCH', '/legal/imprint', { text: ' ', seenAt: await seenAt() });
    expect((await page('imprint')).status).toBe(404);
  });
});

describe('the text', () => {
  it.each([
    '[x](javascript:alert(1))',
    '[x](JaVaScRiPt:alert(1))',
    '[x](data:text/html,x)',
    '[x](vbscript:x)',
    '[x](//evil.example)',
    '<img src=x onerror=alert(1)>',
    '<a href="javascript:x">x</a>',
  ])('makes neither script, picture nor odd link of %s', (text) => {
    expect(renderMarkdown(text)).not.toMatch(/<(?:script|img|a\s)/i);
  });

  it('shows a picture of another site as a link: nobody is fetched from without a click', () => {
    expect(renderMarkdown('![x](https://evil.example/p.png)')).not.toContain('<img');
  });

  it.each(['https://lab.example/', 'http://lab.example/', 'mailto:lab@lab.example'])('links to %s', (url) => {
    expect(renderMarkdown(`[x](${url})`)).toContain(`href="${url}"`);
  });
});
