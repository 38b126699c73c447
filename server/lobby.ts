// The Lobby over HTTP: plain forms for people without an account. Nothing here waits but for PostgreSQL, and a second for one's turn.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import express, { type NextFunction, type Request, type Response, type Router } from 'express';
import { AppError, type ErrorCode } from '../contracts/errors.ts';
import { takesPeople } from '../contracts/states.ts';
import { instanceUrl } from '../domain/addresses.ts';
import type { LegalPageName } from '../contracts/legal.ts';
import type { Context } from '../domain/context.ts';
import { timeOf, turnOf, type Turn } from '../domain/forwarding.ts';
import { newId, newToken } from '../domain/ids.ts';
import { listLegalPages } from '../domain/legal.ts';
import { findLobbyInstance, findRoom, otreeRoomUrl, roomsOf, type LobbyInstance } from '../domain/rooms.ts';
import { noteSeatsChanged } from '../domain/seat-broadcast.ts';
import { findSeat, freeLabels, markReady, openSeat, seatName, seatOfToken, takeSeat, type SeatPlace } from '../domain/seats.ts';
import { watchFacts } from './fresh-facts.ts';
import { forwardBody, linksBody, numberBody, readyBody, renderPage, seatsBody, sentenceBody, waitingBody, type Page, type Reader } from './lobby-page.ts';
import { fill, isLanguage, languages, lobbyTexts, type LobbyTexts } from './lobby-texts.ts';

type Stylesheet = { readonly text: string; readonly url: string };

function readStylesheet(name: string): Stylesheet {
  const text = readFileSync(path.join(import.meta.dirname, 'lobby-assets', name), 'utf8');
  return { text, url: `/lobby/assets/${name}?v=${createHash('sha256').update(text).digest('hex').slice(0, 8)}` };
}

const stylesheets: Readonly<Record<'lobby.css' | 'sheet.css', Stylesheet>> = {
  'lobby.css': readStylesheet('lobby.css'),
  'sheet.css': readStylesheet('sheet.css'),
};
const stylesheetUrl = stylesheets['lobby.css'].url;
/** Style of the printed sheet of seats. */
export const sheetUrl = stylesheets['sheet.css'].url;

/** Whose turn comes so soon is kept on the line: a page cannot come back at a part of a second, and oTree must not get a second's people at once. */
const holdMs = 1250;
/** Somebody who waits longer reads a new number this often. */
const numberSeconds = 5;
const cookieName = 'arboretum_seat';
const cookieSeconds = 24 * 3600;

type Visit = { readonly req: Request; readonly res: Response; readonly reader: Reader };
type Place = SeatPlace & { readonly instance: LobbyInstance };

/** Mount it at `/lobby`, before anything that asks for a sign-in and outside of rate limits: a whole lab has one address. */
export function lobbyRouter(ctx: Context): Router {
  const router = express.Router();
  for (const [name, { text }] of Object.entries(stylesheets))
    router.get(`/assets/${name}`, (_req, res) => {
      res.set({ 'Cache-Control': 'public, max-age=86400', 'X-Content-Type-Options': 'nosniff' }).type('css').send(text);
    });
  router.use(async (_req, res, next) => {
    // A participant's page must come also when this cannot be read.
    res.locals['legalPages'] = await listLegalPages(ctx).catch(() => []);
    next();
  });
  const form = express.urlencoded({ extended: false, limit: '4kb' });
  router.get('/:instance', (req, res) => showRooms(ctx, visitOf(req, res)));
  router.get('/:instance/:room', (req, res) => showSeats(ctx, visitOf(req, res)));
  router.post('/:instance/:room', form, (req, res) => takeAndShow(ctx, visitOf(req, res)));
  router.get('/:instance/:room/:label', (req, res) => showSeat(ctx, visitOf(req, res)));
  // Who reloads after a click, or comes back from the front door's "one moment" page, asks for the form's address by GET.
  router.get('/:instance/:room/:label/ready', (req, res) => res.redirect(303, `/lobby${req.path.replace(/\/ready\/?$/, '')}${visitOf(req, res).reader.query}`));
  router.post('/:instance/:room/:label/ready', (req, res) => becomeReady(ctx, visitOf(req, res)));
  router.use(() => {
    throw new AppError('not_found');
  });
  // oxlint-disable-next-line max-params -- Express knows an error handler by its four parameters
  router.use((error: unknown, req: Request, res: Response, next: NextFunction) => (res.headersSent ? next(error) : showError(ctx, visitOf(req, res), error)));
  return router;
}

async function showRooms(ctx: Context, visit: Visit): Promise<void> {
  const instance = await findLobbyInstance(ctx, param(visit, 'instance'));
  const rooms = roomsOf(instance);
  const { texts, query } = visit.reader;
  const [only] = rooms;
  if (only && rooms.length === 1) return visit.res.redirect(303, addressOf(instance, only.name) + query);
  if (!only) return send(visit, { place: instance.name, heading: texts.noRooms, body: sentenceBody(texts.askExperimenter) });
  const body = linksBody(rooms.map(({ name, displayName }) => ({ href: addressOf(instance, name) + query, text: displayName })));
  send(visit, { place: instance.name, heading: texts.chooseRoom, body });
}

async function showSeats(ctx: Context, visit: Visit): Promise<void> {
  const { instance, room } = await findPlaceOfRoom(ctx, visit);
  const { reader, res } = visit;
  const token = tokenOf(visit);
  const own = token === null ? null : await seatOfToken(ctx, instance, { room, token });
  const action = addressOf(instance, room.name);
  if (own) return res.redirect(303, addressOf(instance, room.name, own.label) + reader.query);
  // Given before the click, so that two clicks of one computer are known to be one.
  if (token === null) giveToken(ctx, visit, { path: action, token: newToken() });
  const body =
    room.labels === null
      ? numberBody(reader, action + reader.query)
      : seatsBody(reader, { labels: room.labels, free: await freeLabels(ctx, instance, room), action: action + reader.query });
  send(visit, { place: instance.name, heading: room.displayName, body });
}

async function takeAndShow(ctx: Context, visit: Visit): Promise<void> {
  requireSameOrigin(visit.req);
  const { instance, room } = await findPlaceOfRoom(ctx, visit);
  const asked: unknown = (visit.req.body as Record<string, unknown> | undefined)?.['label'];
  const wish = typeof asked === 'string' && asked !== '' ? { label: findSeat(room, asked).label } : {};
  const token = tokenOf(visit) ?? newToken();
  const label = await takeSeat(ctx, instance, { room, token, ...wish });
  giveToken(ctx, visit, { path: addressOf(instance, room.name), token });
  visit.res.redirect(303, addressOf(instance, room.name, label) + visit.reader.query);
}

async function showSeat(ctx: Context, visit: Visit): Promise<void> {
  const place = await findPlace(ctx, visit);
  const { instance, room, label } = place;
  const { reader } = visit;
  const { texts } = reader;
  const own = addressOf(instance, room.name, label);
  const show = (page: Pick<Page, 'body' | 'refresh'>): void =>
    send(
      visit,
      { place: `${instance.name} · ${room.displayName}`, heading: fill(texts.seat, { label: seatName(place) }), ...page },
      // The origin alone: a browser would take a path for that one page.
      new URL(instanceUrl(ctx.config, instance)).origin,
    );
  // A browser that only looks ahead, or a program that asks for the head, has not opened the page.
  const isLooking = visit.req.method === 'HEAD' || /prefetch|prerender/.test(visit.req.get('sec-purpose') ?? '');
  if (isLooking) return show({ body: readyBody(reader, `${own}/ready${reader.query}`) });
  const seat = await openSeat(ctx, instance, place);
  if (seat.readyAt === null) return show({ body: readyBody(reader, `${own}/ready${reader.query}`) });
  if (!takesPeople.includes(instance.state))
    return show({ body: waitingBody(reader, texts.notYet), refresh: { seconds: between(4, 6), url: own + reader.query } });
  const turn = await turnOf(ctx, instance.id, await timeOf(ctx, instance.id, seat));
  if (turn.waitMs > holdMs)
    return show({ body: waitingBody(reader, describeTurn(texts, turn)), refresh: { seconds: secondsUntil(turn), url: own + reader.query } });
  await waitForTurn(ctx, place, turn);
  const url = otreeRoomUrl(ctx, instance, place);
  // Whose turn has come goes at once; who comes back to this page has a moment to see where it leads.
  show({ body: forwardBody(reader, url), refresh: { seconds: turn.waitMs > 0 ? 0 : 1, url } });
}

const describeTurn = (texts: LobbyTexts, { place, waitMs }: Turn): string => fill(texts.yourTurn, { place, seconds: Math.ceil(waitMs / 1000) });

/** Browsers take whole seconds: back just before the turn, which is then waited for on the line. */
const secondsUntil = ({ waitMs }: Turn): number => Math.max(1, Math.min(numberSeconds, Math.floor((waitMs - holdMs / 2) / 1000)));

async function waitForTurn(ctx: Context, { instance, room }: Place, { waitMs }: Turn): Promise<void> {
  if (waitMs > 0) await wait(waitMs);
  noteSeatsChanged(ctx, instance, room.name);
}

async function becomeReady(ctx: Context, visit: Visit): Promise<void> {
  requireSameOrigin(visit.req);
  const place = await findPlace(ctx, visit);
  const { instance, room, label } = place;
  const time = await markReady(ctx, instance, place);
  const waitMs = time === null ? Infinity : Math.max(0, time.getTime() - Date.now());
  if (waitMs > 0 && time !== null) watchFacts(ctx, instance);
  if (waitMs > holdMs) return leadTo(visit.res, addressOf(instance, room.name, label) + visit.reader.query);
  await waitForTurn(ctx, place, { place: 1, waitMs });
  leadTo(visit.res, otreeRoomUrl(ctx, instance, place));
}

/** What Express's `redirect` does, without choosing a text for browsers that do not follow: two thousand click at once. */
const leadTo = (res: Response, url: string): void => void res.writeHead(303, { Location: url, 'Content-Length': '0' }).end();

type Explanation = { readonly heading: keyof LobbyTexts; readonly sentence: keyof LobbyTexts; readonly link?: keyof LobbyTexts };

/** One text for everything that is not there: it tells no stranger which instances, rooms or labels exist. */
const nothingThere: Explanation = { heading: 'notFound', sentence: 'checkAddress' };
const explanations: Partial<Record<ErrorCode, Explanation>> = {
  not_found: nothingThere,
  room_unknown: nothingThere,
  label_unknown: nothingThere,
  room_full: { heading: 'roomFull', sentence: 'askExperimenter', link: 'backToSeats' },
  seat_taken: { heading: 'seatTaken', sentence: 'chooseSeat', link: 'backToSeats' },
  foreign_origin: { heading: 'foreignOrigin', sentence: 'checkAddress', link: 'tryAgain' },
};

function showError(ctx: Context, visit: Visit, raw: unknown): void {
  const { texts, query } = visit.reader;
  const error = understand(raw);
  const back = `/lobby${visit.req.path.replace(/\/ready\/?$/, '')}${query}`;
  const explanation = explanations[error.code];
  visit.res.status(error.status);
  if (explanation) {
    const { heading, sentence, link } = explanation;
    const body = sentenceBody(texts[sentence], link && { href: back, text: texts[link] });
    return send(visit, { place: '', heading: texts[heading], body });
  }
  const requestId = newId();
  ctx.log.error('the Lobby could not answer', { requestId, path: visit.req.path, error: raw instanceof Error ? (raw.stack ?? raw.message) : String(raw) });
  const body = sentenceBody(fill(texts.triesAgain, { number: requestId }), { href: back, text: texts.tryAgain });
  send(visit, { place: '', heading: texts.failed, body, refresh: { seconds: between(4, 6), url: back } });
}

/** What Express itself refuses (a broken escape in the address, an odd body) is an address with nothing at it. */
function understand(raw: unknown): AppError {
  if (raw instanceof AppError) return raw;
  const status = raw instanceof Error && 'status' in raw ? Number(raw.status) : 500;
  return new AppError(status >= 400 && status < 500 ? 'not_found' : 'internal');
}

function visitOf(req: Request, res: Response): Visit {
  const chosen = req.query['lang'];
  // English first: it is for those who take any language.
  const language = isLanguage(chosen) ? chosen : req.acceptsLanguages(['en', ...languages]);
  const known = isLanguage(language) ? language : 'en';
  return { req, res, reader: { language: known, texts: lobbyTexts[known], query: isLanguage(chosen) ? `?lang=${chosen}` : '', legalPages: legalPagesOf(res) } };
}

const legalPagesOf = (res: Response): LegalPageName[] => (res.locals['legalPages'] as LegalPageName[] | undefined) ?? [];

const param = ({ req }: Visit, name: string): string => String(req.params[name]);

async function findPlaceOfRoom(ctx: Context, visit: Visit): Promise<Pick<Place, 'instance' | 'room'>> {
  const instance = await findLobbyInstance(ctx, param(visit, 'instance'));
  return { instance, room: findRoom(instance, param(visit, 'room')) };
}

async function findPlace(ctx: Context, visit: Visit): Promise<Place> {
  const { instance, room } = await findPlaceOfRoom(ctx, visit);
  return { instance, ...findSeat(room, param(visit, 'label')) };
}

const addressOf = (instance: LobbyInstance, ...parts: readonly string[]): string => ['/lobby', instance.name, ...parts.map(encodeURIComponent)].join('/');

/** @param formTarget origin that a form may lead to: Chromium applies `form-action` to redirects as well */
function send({ res, reader }: Visit, page: Page, formTarget = ''): void {
  res.set({
    'Content-Security-Policy': `default-src 'none'; style-src 'self'; img-src data:; form-action ${`'self' ${formTarget}`.trim()}; base-uri 'none'; frame-ancestors 'self'`,
    'Cache-Control': 'no-store',
    // Not `no-referrer`: the browser would send `Origin: null` with our own form.
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
  });
  res.type('html').send(renderPage(page, reader, stylesheetUrl));
}

/** Old browsers send neither header, and there is no sign-in here to abuse. @throws foreign_origin */
function requireSameOrigin(req: Request): void {
  const site = req.get('sec-fetch-site');
  const origin = req.get('origin');
  const isForeign =
    site === undefined
      ? origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== req.get('host'))
      : site !== 'same-origin' && site !== 'none';
  if (isForeign) throw new AppError('foreign_origin');
}

const tokenOf = ({ req }: Visit): string | null => new RegExp(`(?:^|;\\s*)${cookieName}=([\\w-]{43})(?:;|$)`).exec(req.get('cookie') ?? '')?.[1] ?? null;

const giveToken = (ctx: Context, { res }: Visit, cookie: { path: string; token: string }): void => {
  res.cookie(cookieName, cookie.token, {
    path: cookie.path,
    httpOnly: true,
    sameSite: 'lax',
    secure: ctx.config.publicUrl.protocol === 'https:',
    maxAge: cookieSeconds * 1000,
  });
};

/** Whole seconds, spread so that a lab does not come back in one instant. */
const between = (least: number, most: number): number => least + Math.round(Math.random() * (most - least));
