// The HTTP side put together: security headers, sign-ins, the API, the Lobby, the built pages, errors.

import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import { AppError, type Problem } from '../contracts/errors.ts';
import type { Config } from '../domain/config.ts';
import type { Context } from '../domain/context.ts';
import { identityHeader, panelIdentity, sawHeader } from '../domain/panel-identity.ts';
import { aboutRoutes } from './api/about.ts';
import { addressRoutes } from './api/addresses.ts';
import { certificateRoutes } from './api/certificates.ts';
import { adoptionRoutes } from './api/adoptions.ts';
import { courseRoutes } from './api/courses.ts';
import { activityRoutes } from './api/activity.ts';
import { environmentRoutes } from './api/environment.ts';
import { hostRoutes } from './api/hosts.ts';
import { instanceRoutes } from './api/instances.ts';
import { jobRoutes } from './api/jobs.ts';
import { legalRoutes } from './api/legal.ts';
import { backupRoutes } from './api/backups.ts';
import { preflightRoutes } from './api/preflight.ts';
import { loadRoutes } from './api/load.ts';
import { botRoutes } from './api/bots.ts';
import { exportRoutes } from './api/exports.ts';
import { deploymentRoutes } from './api/deployments.ts';
import { logRoutes } from './api/logs.ts';
import { recruitingRoutes } from './api/recruiting.ts';
import { requesterKeyRoutes } from './api/requester-keys.ts';
import { roomRoutes } from './api/rooms.ts';
import { forgottenLimits, linkLimits, ownPasswordLimits, sessionRoutes, signInLimits } from './api/session.ts';
import { shareRoutes } from './api/shares.ts';
import { panelRoomRoutes } from './api/panel-rooms.ts';
import { seatFileRoutes } from './api/seat-files.ts';
import { sshKeyRoutes } from './api/ssh-keys.ts';
import { lookAtParts, systemRoutes } from './api/system.ts';
import { systemCheckRoutes } from './api/system-check.ts';
import { userRoutes } from './api/users.ts';
import { mount, type AnyEndpoint } from './endpoint.ts';
import { helpRouter } from './help.ts';
import { legalRouter } from './legal-page.ts';
import { lobbyRouter } from './lobby.ts';
import { describeApi, describeApiPage } from './openapi.ts';
import { refuseForeignOrigin } from './origin.ts';
import { plainCss } from './plain-page.ts';
import { panelVersion } from './version.ts';

const webDir = path.join(import.meta.dirname, '..', 'dist', 'web');

export type AppParts = { readonly ctx: Context; readonly loginSessions: readonly RequestHandler[]; readonly pingRedis: () => Promise<unknown> };

/** Every route of the API; the page that describes them and the test of rights are made from this list. */
export const apiRoutes = (pingRedis: () => Promise<unknown>): readonly AnyEndpoint[] => [
  ...sessionRoutes,
  ...sshKeyRoutes,
  ...userRoutes,
  ...instanceRoutes,
  ...shareRoutes,
  ...environmentRoutes,
  ...activityRoutes,
  ...backupRoutes,
  ...exportRoutes,
  ...botRoutes,
  ...loadRoutes,
  ...preflightRoutes,
  ...deploymentRoutes,
  ...logRoutes,
  ...jobRoutes,
  ...roomRoutes,
  ...panelRoomRoutes,
  ...seatFileRoutes,
  ...recruitingRoutes,
  ...requesterKeyRoutes,
  ...systemRoutes(pingRedis),
  ...systemCheckRoutes,
  ...certificateRoutes,
  ...adoptionRoutes,
  ...courseRoutes,
  ...legalRoutes,
  ...aboutRoutes,
  ...hostRoutes,
  ...addressRoutes,
];

/** Builds the application; it does not listen. */
export function buildApp({ ctx, loginSessions, pingRedis }: AppParts): Express {
  const app = express();
  app.disable('x-powered-by');
  // Only nginx reaches the server's socket; it sets these headers itself and appends nothing from outside.
  app.set('trust proxy', 1);
  app.use(giveRequestId);
  app.get('/healthz', (request, response) => {
    response.set({ [identityHeader]: panelIdentity(ctx.config.layout), [sawHeader]: `${request.protocol}://${request.headers.host ?? ''}` });
    response.type('text').send('alive\n');
  });
  app.get('/readyz', (_request, response, next) => {
    lookAtParts(ctx, pingRedis).then((parts) => response.status(parts.every(({ isWell }) => isWell) ? 200 : 503).json({ parts }), next);
  });
  app.use('/lobby', lobbyRouter(ctx));
  app.use('/legal', legalRouter(ctx));
  app.use(securityHeaders(ctx.config));
  app.use('/help', helpRouter());
  app.use('/api/v1', apiRouter({ ctx, loginSessions, pingRedis }));
  app.use(webPages());
  app.use((_request, _response, next) => next(new AppError('not_found')));
  app.use(answerProblem(ctx));
  return app;
}

function apiRouter({ ctx, loginSessions, pingRedis }: AppParts): express.Router {
  const router = express.Router();
  const routes = apiRoutes(pingRedis);
  router.use((_request, response, next) => {
    response.set('Cache-Control', 'no-store');
    next();
  });
  router.get('/docs', (_request, response) => void response.type('html').send(describeApiPage(routes)));
  router.get('/docs.css', (_request, response) => void response.type('css').send(plainCss));
  router.get('/openapi.json', (_request, response) => void response.json(describeApi(routes, panelVersion)));
  router.use(refuseForeignOrigin, ...loginSessions, express.json({ limit: '256kb' }));
  router.post('/session', ...signInLimits);
  router.patch('/me', ...ownPasswordLimits);
  router.post('/me/password', ...ownPasswordLimits);
  router.post('/forgotten-password', ...forgottenLimits);
  router.post(['/invitation', '/invitation/owner'], ...linkLimits);
  mount(router, ctx, routes);
  router.use((_request, _response, next) => next(new AppError('not_found')));
  return router;
}

const giveRequestId: RequestHandler = (_request, response, next) => {
  response.locals['requestId'] = randomUUID().slice(0, 8);
  next();
};

function securityHeaders({ publicUrl, HSTS_DAYS }: Config): RequestHandler {
  const isHttps = publicUrl.protocol === 'https:';
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        // Semantic UI React sets style attributes on elements; scripts never stand in the page.
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        fontSrc: ["'self'", 'data:'],
        connectSrc: ["'self'", 'ws:', 'wss:'],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    strictTransportSecurity: isHttps && HSTS_DAYS > 0 ? { maxAge: HSTS_DAYS * 86_400, includeSubDomains: false } : false,
    crossOriginOpenerPolicy: isHttps,
    originAgentCluster: isHttps,
  });
}

/** The built dashboard; every path that is not a file is a page of it. */
function webPages(): express.Router {
  const router = express.Router();
  router.use('/assets', express.static(path.join(webDir, 'assets'), { immutable: true, maxAge: '1y', fallthrough: false }));
  router.use(express.static(webDir, { index: false }));
  router.get(/^\/(?!api\/|socket\.io\/|assets\/).*/, (request, response, next) => {
    const page = path.join(webDir, 'index.html');
    if (!request.accepts('html') || !existsSync(page)) return next();
    response.set('Cache-Control', 'no-cache').sendFile(page);
  });
  return router;
}

/** Any error as `application/problem+json`; an unexpected one is logged with the number that the page shows. */
function answerProblem(ctx: Context): ErrorRequestHandler {
  // Express knows an error handler by its four parameters.
  // oxlint-disable-next-line max-params
  return (raw: unknown, request, response, next) => {
    if (response.headersSent) return next(raw);
    const error = understand(raw);
    const requestId = String(response.locals['requestId']);
    if (error.code === 'internal')
      ctx.log.error('a request failed', { requestId, path: request.path, error: raw instanceof Error ? (raw.stack ?? raw.message) : String(raw) });
    const details = { requestId, ...error.details };
    const shown = new AppError(error.code, details);
    const body: Problem = {
      type: 'about:blank',
      title: shown.message,
      status: shown.status,
      code: shown.code,
      hint: shown.hint,
      requestId,
      ...(error.fields ? { fields: error.fields } : {}),
    };
    response.locals['problem'] = shown.code;
    if (shown.status === 503) response.set('Retry-After', '5');
    response.status(shown.status).type('application/problem+json').send(JSON.stringify(body));
  };
}

function understand(raw: unknown): AppError {
  if (raw instanceof AppError) return raw;
  const status = typeof raw === 'object' && raw !== null && 'status' in raw ? raw.status : undefined;
  if (status === 404) return new AppError('not_found');
  if (status === 413) return new AppError('payload_too_large');
  if (typeof status === 'number' && status >= 400 && status < 500) return new AppError('malformed_request');
  if (
    raw instanceof Error &&
    /ECONNREFUSED|ENOENT.*PGSQL|Can't reach database|terminating connection|Connection terminated|starting up|P1001|P1017|DatabaseNotReachable/.test(
      `${raw.name} ${raw.message}`,
    )
  )
    return new AppError('service_unavailable', {}, { cause: raw });
  return new AppError('internal', {}, { cause: raw });
}
