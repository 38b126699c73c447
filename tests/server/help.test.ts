// The help inside the panel: complete, linked, true.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { rightsPage } from '../../contracts/rights-page.ts';
import { terms } from '../../web/components/TermLink.tsx';
import { startPanel, type TestPanel } from './panel.ts';

const names = [
  'experimenter',
  'manager',
  'prolific',
  'mturk',
  'preflight',
  'participant',
  'glossary',
  'rights',
  'running',
  'swarm',
  'compose',
  'dokku',
  'system-check',
  'addresses',
  'behind-a-proxy',
  'certificates',
  'configuration',
];
let panel: TestPanel;
beforeAll(async () => {
  panel = await startPanel();
});
afterAll(() => panel.close());

const read = async (name: string): Promise<string> => {
  const response = await fetch(`${panel.url}/help/${name}`);
  expect(response.status, name).toBe(200);
  return response.text();
};

it('is there for everybody, without a script, each page with its title', async () => {
  for (const name of names) {
    const page = await read(name);
    expect(page).toMatch(/<h1 id="[^"]+">/);
    expect(page).not.toContain('<script');
    expect(page).toContain(`href="/help/${name}" aria-current="page"`);
  }
});

it('shows pictures that are there, each with words for whoever cannot see it', async () => {
  let count = 0;
  for (const name of names) {
    for (const [, source = '', words = ''] of (await read(name)).matchAll(/<img src="([^"]*)" alt="([^"]*)"/g)) {
      const picture = await fetch(new URL(source, `${panel.url}/help/${name}`));
      expect([source, picture.status, picture.headers.get('content-type')]).toEqual([source, 200, 'image/png']);
      expect(words.length, source).toBeGreaterThan(10);
      count += 1;
    }
  }
  expect(count).toBeGreaterThan(4);
  expect((await fetch(`${panel.url}/help/images/..%2F..%2Fpackage.json`)).status).toBe(404);
});

it('links only to pages and headings that are there', async () => {
  const texts = new Map(await Promise.all(names.map(async (name) => [name, await read(name)] as const)));
  for (const [name, text] of texts) {
    for (const [, href = ''] of text.matchAll(/href="([^"]+)"/g)) {
      if (/^https:\/\/|^\/$|^\/help\/help\.css$|^\/icon\.svg$/.test(href)) continue;
      const [, target = '', anchor] = /^\/help\/([\w-]+)(?:#(.+))?$/.exec(href.startsWith('#') ? `/help/${name}${href}` : href) ?? [];
      expect(names, `${name} links to ${href}`).toContain(target);
      if (anchor !== undefined) expect(texts.get(target), `${name} links to ${href}`).toContain(`id="${anchor}"`);
    }
  }
});

it('explains every word that a field of the dashboard links to', async () => {
  const glossary = await read('glossary');
  for (const term of terms) expect(glossary).toContain(`<h2 id="${term}">`);
});

it('is linked from a field for every one of these words', () => {
  const web = path.join(import.meta.dirname, '..', '..', 'web');
  const files = readdirSync(web, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.tsx'));
  const source = files.map((file) => readFileSync(path.join(web, file), 'utf8')).join('');
  for (const term of terms) expect(source).toContain(`term="${term}"`);
});

it('answers an unknown page with not found', async () => {
  expect((await fetch(`${panel.url}/help/..%2f..%2fpackage.json`)).status).toBe(404);
});

it('says of rights what the table says', () => {
  expect(readFileSync(path.join(import.meta.dirname, '..', '..', 'docs', 'rights.md'), 'utf8')).toBe(rightsPage());
});
