// The Lobby's pages as text: escaping, languages, nothing from elsewhere.

import { describe, expect, test } from 'vitest';
import {
  forwardBody,
  html,
  linksBody,
  numberBody,
  readyBody,
  renderPage,
  seatsBody,
  sentenceBody,
  waitingBody,
  type Html,
  type Reader,
} from '../../server/lobby-page.ts';
import { fill, isLanguage, languages, lobbyTexts, type LobbyTexts } from '../../server/lobby-texts.ts';

const hostile = `"><script>alert('&')</script>`;
const readerOf = (language: Reader['language']): Reader => ({ language, texts: lobbyTexts[language], query: '' });
const bodies = (reader: Reader): Html[] => [
  readyBody(reader, hostile),
  waitingBody(reader, hostile),
  forwardBody(reader, hostile),
  seatsBody(reader, { labels: [hostile, 'A02'], free: [hostile], action: hostile }),
  seatsBody(reader, { labels: [hostile], free: [], action: hostile }),
  numberBody(reader, hostile),
  linksBody([{ href: hostile, text: hostile }]),
  sentenceBody(hostile, { href: hostile, text: hostile }),
];

describe('a page', () => {
  test('escapes everything that came from outside', () => {
    for (const body of bodies(readerOf('en'))) {
      const page = renderPage({ place: hostile, heading: hostile, body, refresh: { seconds: 1, url: hostile } }, readerOf('en'), '/lobby.css');
      expect(page).not.toContain('<script');
      expect(page).not.toContain('">&lt;');
      expect(page).toContain('&quot;&gt;&lt;script&gt;alert(&#39;&amp;&#39;)');
    }
  });

  test('escapes once, not twice', () => {
    expect(html`<p>${html`<b>${'a & b'}</b>`}</p>`.html).toBe('<p><b>a &amp; b</b></p>');
  });

  test('has no script, no style of its own, and nothing from another host', () => {
    const page = renderPage(
      { place: 'trust-game', heading: 'Seat A07', body: readyBody(readerOf('en'), '/lobby/trust-game/lab/A07/ready') },
      readerOf('en'),
      '/lobby/assets/lobby.css',
    );
    expect(page).not.toMatch(/<script|<style|style=|\son\w+=|https?:/);
  });

  test.each(languages)('in %s says its language and offers the others', (language) => {
    const page = renderPage({ place: '', heading: 'x', body: readyBody(readerOf(language), '/x') }, readerOf(language), '/lobby.css');
    expect(page).toContain(`<html lang="${language}">`);
    expect(page).toContain(lobbyTexts[language].ready);
    for (const other of languages.filter((one) => one !== language)) expect(page).toContain(`href="?lang=${other}"`);
  });
});

describe('the texts', () => {
  test.each(languages)('of %s fill the same places as the English ones', (language) => {
    const placesOf = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).toSorted();
    const places = (texts: LobbyTexts) =>
      Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, { isEmpty: text.trim() === '', places: placesOf(text) }]));
    expect(places(lobbyTexts[language])).toEqual(places(lobbyTexts.en));
  });

  test('a place without a value stays', () => {
    expect(fill('Seat {label} of {room}', { label: 'A07' })).toBe('Seat A07 of {room}');
  });

  test('only the five are languages', () => {
    expect(['de', 'xx', undefined, ['de']].map(isLanguage)).toEqual([true, false, false, false]);
  });
});
