// A route is data: method, path, action, request, response, run. Who may, what is sent and what comes back are checked here for all.

import type { Request, RequestHandler, Response, Router } from 'express';
import { z } from 'zod';
import { AppError } from '../contracts/errors.ts';
import { isInstanceAction, type Action, type InstanceAction, type PanelAction } from '../contracts/roles.ts';
import { findInstance, requirePanelAction, type OwnedInstance, type Person } from '../domain/access.ts';
import type { Context } from '../domain/context.ts';
import { checkCsrfToken } from './origin.ts';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** What `run` gets; `instance` is there for instance actions only, found and allowed already. */
export type Call<A extends Action, Body, Query> = {
  readonly ctx: Context;
  readonly request: Request;
  readonly response: Response;
  readonly body: Body;
  readonly query: Query;
  readonly params: Readonly<Record<string, string>>;
} & (A extends InstanceAction
  ? { readonly person: Person; readonly instance: OwnedInstance }
  : A extends 'panel.look' | 'session.create' | 'session.delete'
    ? { readonly person: Person | null }
    : { readonly person: Person });

export type Endpoint<A extends Action = Action, B extends z.ZodType = z.ZodType, Q extends z.ZodType = z.ZodType, R extends z.ZodType = z.ZodType> = {
  readonly method: Method;
  /** Express form; an instance action's path names the instance as `:name`. */
  readonly path: string;
  readonly action: A;
  readonly summary: string;
  readonly body?: B;
  readonly query?: Q;
  /** `null`: 204 without a body; `'file'`: run answers by itself. */
  readonly response: R | null | 'file';
  readonly status?: 200 | 201 | 202;
  readonly run: (call: Call<A, z.output<B>, z.output<Q>>) => Promise<R extends z.ZodType ? z.input<R> | void : void>;
};

/** The list's element type: what differs between routes is erased after each was checked on its own. */
export type AnyEndpoint = Omit<Endpoint, 'run'> & { readonly run: (call: never) => Promise<unknown> };

/** Checks one route's parts against each other. */
export const endpoint = <A extends Action, B extends z.ZodType = z.ZodUndefined, Q extends z.ZodType = z.ZodUndefined, R extends z.ZodType = z.ZodType>(
  route: Endpoint<A, B, Q, R>,
): AnyEndpoint => route;

/** Puts the routes on a router, in their order. */
export function mount(router: Router, ctx: Context, routes: readonly AnyEndpoint[]): void {
  for (const route of routes) router[route.method](route.path, handler(ctx, route));
}

function handler(ctx: Context, route: AnyEndpoint): RequestHandler {
  return async (request, response) => {
    const person = (request.user as Person | undefined) ?? null;
    const params = z.record(z.string(), z.string()).parse(request.params);
    const instance = await admit(ctx, { route, person, name: params['name'] ?? '' });
    if (request.method !== 'GET' && person) checkCsrfToken(request);
    const body = route.body ? parseOrRefuse(route.body, request.body ?? {}) : undefined;
    const query = route.query ? parseOrRefuse(route.query, request.query) : undefined;
    const run = route.run as (call: unknown) => Promise<unknown>;
    const answer = await run({ ctx, request, response, person, instance, body, query, params });
    if (route.response === 'file') return;
    if (route.response === null) response.status(204).end();
    else response.status(route.status ?? 200).json(route.response.parse(answer));
  };
}

/** 401 for nobody, 404 for strangers to an instance, 403 for those who see it but may not. */
async function admit(ctx: Context, { route, person, name }: { route: AnyEndpoint; person: Person | null; name: string }): Promise<OwnedInstance | null> {
  const { action } = route;
  if (!isInstanceAction(action)) {
    requirePanelAction(person?.role ?? null, action satisfies PanelAction);
    return null;
  }
  if (!person) throw new AppError('sign_in_required');
  return findInstance(ctx, person, { name, action });
}

/** @throws invalid_input with a remark at each field */
export function parseOrRefuse<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const fields: Record<string, string> = {};
  for (const issue of parsed.error.issues) fields[issue.path.join('.') || 'form'] ??= issue.message;
  throw new AppError('invalid_input', {}, { fields });
}
