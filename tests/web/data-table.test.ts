// A table that becomes a list of labelled facts on a phone.

import { createElement, Fragment } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { expect, it } from 'vitest';
import { DataTable } from '../../web/components/DataTable.tsx';

it('has one element in each cell, whatever is in it, so that all of it stands beside the column’s title', () => {
  const render = () => createElement(Fragment, null, 'oTree, not running', createElement('p', null, 'It runs oTree 3.'));
  const markup = renderToStaticMarkup(
    createElement(DataTable<{ id: string }>, { name: 'Apps', columns: [{ title: 'What it is', render }], rows: [{ id: 'a' }] }),
  );
  expect(markup).toContain('data-label="What it is"');
  expect(markup).toMatch(/<td[^>]*><div>oTree, not running<p>It runs oTree 3\.<\/p><\/div><\/td>/);
});
