// The legal pages as managers write them; visitors read them at `/legal/…`.

import { AppError } from '../../contracts/errors.ts';
import { changeLegalTextSchema, legalPageNames, legalTextListSchema, legalTextSchema, type LegalPageName } from '../../contracts/legal.ts';
import { readLegalText, writeLegalText } from '../../domain/legal.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';

const nameOf = (text: string | undefined): LegalPageName => {
  const name = legalPageNames.find((one) => one === text);
  if (!name) throw new AppError('not_found');
  return name;
};

export const legalRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'get',
    path: '/legal',
    action: 'legal.change',
    summary: 'The texts of imprint and privacy, in Markdown',
    response: legalTextListSchema,
    run: async ({ ctx }) => ({ pages: await Promise.all(legalPageNames.map((name) => readLegalText(ctx, name))) }),
  }),
  endpoint({
    method: 'patch',
    path: '/legal/:page',
    action: 'legal.change',
    summary: 'Save the text of a legal page; an empty one takes the page away',
    body: changeLegalTextSchema,
    response: legalTextSchema,
    run: ({ ctx, person, params, body }) => writeLegalText(ctx, person, { name: nameOf(params['page']), ...body }),
  }),
];
