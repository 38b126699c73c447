// Describes every route from the same list that serves it: OpenAPI 3.1 as JSON and as a plain page.

import { z } from 'zod';
import { errorTable } from '../contracts/errors.ts';
import type { AnyEndpoint } from './endpoint.ts';
import { escapeHtml } from './html.ts';
import { plainPage } from './plain-page.ts';

type Json = Readonly<Record<string, unknown>>;

const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): Json => z.toJSONSchema(schema, { io, unrepresentable: 'any', target: 'draft-2020-12' }) as Json;
const openApiPath = (path: string): string => path.replaceAll(/:(\w+)/g, '{$1}');
const parametersOf = (path: string): Json[] =>
  [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));

function queryParameters(query: z.ZodType | undefined): Json[] {
  if (!query) return [];
  const properties = schemaOf(query, 'input')['properties'] as Readonly<Record<string, Json>>;
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', schema }));
}

function responsesOf(route: AnyEndpoint): Json {
  const status = String(route.response === null ? 204 : (route.status ?? 200));
  const content =
    route.response === 'file'
      ? { 'application/octet-stream': {} }
      : route.response
        ? { 'application/json': { schema: schemaOf(route.response, 'output') } }
        : undefined;
  return {
    [status]: { description: 'Done', ...(content ? { content } : {}) },
    default: { description: 'Problem (RFC 9457)', content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } },
  };
}

const problem: Json = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'hint', 'requestId'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string', description: 'What happened' },
    status: { type: 'integer' },
    code: { enum: Object.keys(errorTable) },
    hint: { type: 'string', description: 'What to do now' },
    requestId: { type: 'string' },
    fields: { type: 'object', additionalProperties: { type: 'string' } },
  },
};

/** The whole description. @see OpenAPI 3.1.0 */
export function describeApi(routes: readonly AnyEndpoint[], version: string): Json {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    (paths[openApiPath(route.path)] ??= {})[route.method] = {
      summary: route.summary,
      description: `Needs the right \`${route.action}\`.`,
      parameters: [...parametersOf(route.path), ...queryParameters(route.query)],
      ...(route.body ? { requestBody: { required: true, content: { 'application/json': { schema: schemaOf(route.body, 'input') } } } } : {}),
      ...(route.takesFile ? { requestBody: { required: true, content: { 'application/octet-stream': {} } } } : {}),
      responses: responsesOf(route),
    };
  }
  return { openapi: '3.1.0', info: { title: 'Arboretum', version }, servers: [{ url: '/api/v1' }], paths, components: { schemas: { Problem: problem } } };
}

/** The same as a page to read, without scripts. */
export function describeApiPage(routes: readonly AnyEndpoint[]): string {
  const block = (title: string, schema: z.ZodType | undefined | null, io: 'input' | 'output'): string =>
    schema ? `<details><summary>${title}</summary><pre>${escapeHtml(JSON.stringify(schemaOf(schema, io), null, 2))}</pre></details>` : '';
  const row = (route: AnyEndpoint): string =>
    `<section><h2><code>${route.method.toUpperCase()} /api/v1${escapeHtml(route.path)}</code></h2><p>${escapeHtml(route.summary)}. Right: <code>${route.action}</code></p>` +
    `${block('Request', route.body, 'input')}${block('Query', route.query, 'input')}${route.response === 'file' ? '<p>Answers with a file.</p>' : block('Answer', route.response, 'output')}</section>`;
  const intro =
    '<h1>Arboretum API</h1><p>JSON over HTTP with the cookie of a sign-in; unsafe methods also send <code>X-CSRF-Token</code> from <code>GET /me</code>. Problems come as <code>application/problem+json</code>. Machine-readable: <a href="openapi.json">openapi.json</a>.</p>';
  return plainPage({ title: 'API', css: 'docs.css', body: intro + routes.map(row).join('') });
}
