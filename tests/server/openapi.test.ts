// The description of the HTTP interface is made from the routes, all of them.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { apiRoutes } from '../../server/app.ts';
import { startPanel, type TestPanel } from './panel.ts';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startPanel();
});
afterAll(() => panel.close());

const routes = apiRoutes(() => Promise.resolve('PONG'));

it('names every route with its right, its request and its answer', async () => {
  const response = await fetch(`${panel.url}/api/v1/openapi.json`);
  const { openapi, paths } = (await response.json()) as {
    openapi: string;
    paths: Record<string, Record<string, { description: string; requestBody?: unknown }>>;
  };
  expect(openapi).toBe('3.1.0');
  for (const route of routes) {
    const operation = paths[route.path.replaceAll(/:(\w+)/g, '{$1}')]?.[route.method];
    expect(operation?.description, `${route.method} ${route.path}`).toContain(route.action);
    expect(operation?.requestBody !== undefined).toBe(route.takesFile === true || route.body !== undefined);
  }
  expect(Object.values(paths).flatMap((operations) => Object.keys(operations))).toHaveLength(routes.length);
});

it('is a page to read, too, without a script', async () => {
  const response = await fetch(`${panel.url}/api/v1/docs`);
  const page = await response.text();
  expect(response.headers.get('content-type')).toContain('text/html');
  for (const route of routes) expect(page).toContain(`${route.method.toUpperCase()} /api/v1${route.path}`);
  expect(page).not.toContain('<script');
});

it('answers an address that is not there with a problem that says so', async () => {
  const response = await fetch(`${panel.url}/api/v1/nothing-here`);
  expect(response.status).toBe(404);
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  expect(await response.json()).toMatchObject({ code: 'not_found', requestId: expect.any(String) });
});
