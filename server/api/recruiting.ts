// Recruiting: what was chosen for each room, a test click, who came back, Prolific's export held against a session.

import type { Readable } from 'node:stream';
import { AppError } from '../../contracts/errors.ts';
import { maxExportBytes, reconciliationQuery, reconciliationSchema, sessionMoneySchema } from '../../contracts/reconciliation.ts';
import { putRecruitmentSchema } from '../../contracts/recruiting.ts';
import { recruitingSchema, returnedSchema, testClickSchema } from '../../contracts/recruiting-view.ts';
import { readFacts } from '../../domain/facts.ts';
import { readExport } from '../../domain/prolific-export.ts';
import { reconcile } from '../../domain/reconciliation.ts';
import { readRecruitment } from '../../domain/recruiting-fields.ts';
import { readRecruiting, saveRecruitment } from '../../domain/recruiting.ts';
import { askWorker } from '../ask-worker.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';

export const recruitingRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'get',
    path: '/instances/:name/recruiting',
    action: 'instance.operate',
    summary: 'How people are recruited for each room: links to paste, fields of the session, what the deployed source says',
    response: recruitingSchema,
    run: ({ ctx, person, instance }) => readRecruiting(ctx, person, instance),
  }),
  endpoint({
    method: 'put',
    path: '/instances/:name/recruiting',
    action: 'instance.change',
    summary: 'Choose how people are recruited for a room, with completion codes',
    body: putRecruitmentSchema,
    response: recruitingSchema,
    run: async ({ ctx, person, instance, body }) => {
      await saveRecruitment(ctx, person, { instance, wish: body });
      return readRecruiting(ctx, person, instance);
    },
  }),
  endpoint({
    method: 'post',
    path: '/instances/:name/rooms/:room/test-click',
    action: 'instance.operate',
    summary: 'Send a made-up person through the room by its link; takes one place of the session',
    response: testClickSchema,
    run: ({ ctx, person, instance, params }) =>
      askWorker(ctx, { kind: 'test-click', instanceId: instance.id, room: params['room'] ?? '', actor: { id: person.id, name: person.name } }, testClickSchema),
  }),
  endpoint({
    method: 'get',
    path: '/instances/:name/rooms/:room/returned',
    action: 'instance.operate',
    summary: 'Ids of the room’s session that took part in an earlier session, here or in another instance of the owner',
    response: returnedSchema,
    run: ({ ctx, instance, params }) => askWorker(ctx, { kind: 'find-returned', instanceId: instance.id, room: params['room'] ?? '' }, returnedSchema),
  }),
  endpoint({
    method: 'post',
    path: '/instances/:name/rooms/:room/reconciliation',
    action: 'instance.operate',
    summary: 'Hold Prolific’s CSV export (the body) against an oTree session; nothing of it is kept',
    takesFile: true,
    query: reconciliationQuery,
    response: reconciliationSchema,
    run: async ({ ctx, instance, params, query, request }) => {
      const room = params['room'] ?? '';
      const row = await ctx.db.recruitment.findUnique({ where: { instanceId_room: { instanceId: instance.id, room } } });
      const recruitment = row && readRecruitment(row);
      const studyId = recruitment?.kind === 'prolific' ? recruitment.settings.studyId : null;
      const submissions = readExport(await readFile(request), { filename: query.filename, studyId });
      const sessionCode = query.session ?? readFacts(instance).roomSessions[room];
      if (sessionCode === undefined)
        throw new AppError('invalid_input', {}, { fields: { session: 'No session is open in this room: write the code of the one that you mean.' } });
      const session = await askWorker(ctx, { kind: 'session-people', instanceId: instance.id, sessionCode }, sessionMoneySchema);
      return reconcile({ submissions, session, recruitment, withFee: query.withFee === 'true' });
    },
  }),
];

/** The body; of one that is too large, as much as shows that. What is left is read and dropped, so that the answer arrives. */
async function readFile(content: Readable): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  for await (const piece of content) {
    const bytes = piece as Buffer;
    if (sizeBytes <= maxExportBytes) pieces.push(bytes);
    sizeBytes += bytes.length;
  }
  return Buffer.concat(pieces);
}
