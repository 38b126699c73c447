// Buttons that are on or off: what screen readers get of them.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { ToggleButton } from '../../web/components/ToggleButton.tsx';

const markup = (isOn: boolean, icon?: string): string =>
  renderToStaticMarkup(createElement(ToggleButton, { isOn, label: 'Mine', onClick: () => undefined, ...(icon === undefined ? {} : { icon }) }));

describe('a button that is on or off', () => {
  it('says so', () => {
    expect(markup(true)).toContain('aria-pressed="true"');
    expect(markup(false)).toContain('aria-pressed="false"');
  });

  it('has a name, also when it is only a picture', () => {
    expect(markup(false)).toContain('>Mine</button>');
    expect(markup(false, 'bars')).toContain('aria-label="Mine"');
  });

  it('is nowhere one of Semantic’s, which leaves out whether it is pressed', () => {
    const web = path.join(import.meta.dirname, '..', '..', 'web');
    const files = readdirSync(web, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.tsx'));
    expect(files.filter((name) => /<Button\b(?:(?!\/>|<\/Button>)[^])*?aria-pressed/.test(readFileSync(path.join(web, name), 'utf8')))).toEqual([]);
  });
});
