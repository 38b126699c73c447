// How the web room is built: React, and Fomantic's CSS cut down to what our pages use.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const root = import.meta.dirname;

export default defineConfig({
  root: join(root, 'web'),
  publicDir: false,
  plugins: [react(), trimFomantic()],
  build: { outDir: join(root, 'dist/web'), emptyOutDir: true, target: 'es2022', chunkSizeWarningLimit: 600 },
});

/** Class words that semantic-ui-react writes by itself, so that they never stand in our sources. */
const libraryWords = [
  'ui',
  'icon',
  'icons',
  'item',
  'link',
  'field',
  'input',
  'labeled',
  'left',
  'right',
  'positive',
  'negative',
  'error',
  'disabled',
  'active',
  'visible',
  'loading',
];

/** Fomantic's palette: our colours are tones of `theme.css`. */
const colourWords = [
  'red',
  'orange',
  'yellow',
  'olive',
  'green',
  'teal',
  'blue',
  'violet',
  'purple',
  'pink',
  'brown',
  'grey',
  'black',
  'secondary',
  'tertiary',
  'inverted',
];

/**
 * Fomantic's CSS of the components that `web/fomantic.ts` imports is 500 kB, most of it colours and icons that no page shows.
 * A rule stays when every class of one of its selectors is a word in our sources. No web fonts except the icons, and all of
 * it goes into a cascade layer, so that `theme.css` wins without a contest of selectors.
 */
function trimFomantic(): Plugin {
  let words = new Set<string>();
  return {
    name: 'trim-fomantic',
    enforce: 'pre',
    buildStart() {
      words = new Set([...libraryWords, ...wordsIn(join(root, 'web')), ...wordsIn(join(root, 'contracts'))]);
      for (const word of colourWords) words.delete(word);
    },
    transform(css, id) {
      if (!id.includes('fomantic-ui-css/components/')) return null;
      return { code: `@layer fomantic {\n${trim(css, words)}\n}`, map: null };
    },
  };
}

function wordsIn(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name));
  return names.flatMap((name) => readFileSync(join(folder, name), 'utf8').match(/[\w-]+/g) ?? []);
}

function trim(css: string, words: ReadonlySet<string>): string {
  const isUsed = (selector: string): boolean => {
    const classes = selector.replaceAll(/:not\([^)]*\)/g, '').match(/\.[a-zA-Z_][\w-]*/g) ?? [];
    return classes.every((name) => words.has(name.slice(1)));
  };
  return css
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/@font-face\s*\{[^}]*\}/g, (face) => (/"(outline-)?icons"/.test(face) ? face.replace(/,\s*url\([^)]*\) format\("woff"\)/, '') : ''))
    .replaceAll(/([^{}]+)\{([^{}]*)\}/g, (rule, selectors: string, body: string) => {
      if (selectors.trim().startsWith('@') || /^\s*(from|to|[\d.]+%)/.test(selectors)) return rule;
      const kept = selectors.split(/,(?![^(]*\))/).filter(isUsed);
      return kept.length === 0 ? '' : `${kept.join(',')}{${body}}`;
    });
}
