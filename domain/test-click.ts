// A made-up person walks through a room as somebody from the recruiting site would: link, first page, data, completion link.

import { randomInt } from 'node:crypto';
import { AppError } from '../contracts/errors.ts';
import { completionLinks, entryLink, outcomeFields, prolificCompletion, type Recruitment } from '../contracts/recruiting.ts';
import { testPrefix, type TestClick } from '../contracts/recruiting-view.ts';
import type { Instance } from '../prisma/client/client.ts';
import { instanceUrl } from './addresses.ts';
import { record } from './audit.ts';
import type { Actor, WorkerContext } from './context.ts';
import { lookAt, NoAnswer, Visitor, type Page } from './public-visit.ts';
import { readRecruitment } from './recruiting-fields.ts';
import { findRoom, withRooms } from './rooms.ts';
import { askSession } from './session-people.ts';
import { specOf } from './specs.ts';

type Asked = { readonly instanceId: string; readonly room: string; readonly actor: Actor };
type Step = TestClick['steps'][number];

const well = (sentence: string): Step => ({ isWell: true, sentence, hint: null });
const wrong = (sentence: string, hint: string): Step => ({ isWell: false, sentence, hint });

/**
 * Real requests to the instance's public address, with an id that begins with `test_` and takes one place of the
 * session. It ends at the first step that fails. Prolific's own completion address is never opened: that would submit.
 * @throws room_unknown, not_running, invalid_input when nobody comes by a link here
 */
export async function walkTestClick(ctx: WorkerContext, { instanceId, room: roomName, actor }: Asked): Promise<TestClick> {
  const found = await ctx.db.instance.findFirst({ where: { id: instanceId, deletedAt: null } });
  if (!found || found.state !== 'running') throw new AppError('not_running');
  const instance = await withRooms(ctx, found);
  const room = findRoom(instance, roomName);
  const row = await ctx.db.recruitment.findUnique({ where: { instanceId_room: { instanceId, room: room.name } } });
  const recruitment = row && readRecruitment(row);
  const link = recruitment && entryLink(recruitment, instanceUrl(ctx.config, instance), room.name);
  if (!recruitment || link === null) throw new AppError('invalid_input', {}, { fields: { room: 'People come to this room in another way than by a link.' } });
  const label = testPrefix + Array.from({ length: 10 }, () => randomInt(36).toString(36)).join('');
  await record(ctx.db, actor, { action: 'recruiting.test-click', subject: `${instance.name}/${room.name}`, instanceId, detail: { label } });
  const walk = new Walk(ctx, { instance, label });
  await walk.go(new URL(fillIn(recruitment, link, label)));
  if (walk.sessionCode !== null) await walk.checkLinks(recruitment, walk.sessionCode);
  return { label, sessionCode: walk.sessionCode, steps: walk.steps };
}

/** The link as the recruiting site sends it to one person. */
function fillIn(recruitment: Recruitment, link: string, label: string): string {
  if (recruitment.kind === 'link') {
    const { placeholder } = recruitment.settings;
    return placeholder === null ? link + label : link.replace(placeholder, () => label);
  }
  return link
    .replace('{{%PROLIFIC_PID%}}', label)
    .replace('%SURVEY_CODE%', label)
    .replace('{{%STUDY_ID%}}', 'test_study')
    .replace('{{%SESSION_ID%}}', 'test_session');
}

class Walk {
  readonly steps: Step[] = [];
  sessionCode: string | null = null;
  readonly #ctx: WorkerContext;
  readonly #instance: Instance;
  readonly #label: string;

  constructor(ctx: WorkerContext, who: { instance: Instance; label: string }) {
    this.#ctx = ctx;
    this.#instance = who.instance;
    this.#label = who.label;
  }

  /** From the link to the first page and into the data. */
  async go(link: URL): Promise<void> {
    try {
      const page = await this.#enter(link);
      const problem = describeEntry(page);
      if (problem) return void this.steps.push(problem);
      this.steps.push(well(`The link leads to the first page of the experiment (${page.url.pathname.split('/').slice(3).join('/')}).`));
      await this.#findInData();
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      this.steps.push(
        wrong(`${link.origin} does not answer: ${error.message}.`, 'Look at the address of this instance under Settings, and at the system check.'),
      );
    }
  }

  /** oTree 6 shows a welcome page first; its button asks whether the label is right, then opens the room again. */
  async #enter(link: URL): Promise<Page> {
    const visitor = new Visitor();
    const page = await visitor.open(link);
    if (!isWelcome(page)) return page;
    this.steps.push(well('oTree’s welcome page is shown, and its button was pressed.'));
    const answer = await visitor.open(new URL(link.pathname, link), { method: 'POST', json: Object.fromEntries(link.searchParams) });
    if (!answer.text.includes('"ok"')) return answer;
    const next = new URL(link);
    next.searchParams.set('welcome_page_ok', '1');
    return visitor.open(next);
  }

  async #findInData(): Promise<void> {
    const rows = await this.#ctx.platform.participants(specOf(this.#ctx, this.#instance));
    const row = rows.find(({ label }) => label === this.#label);
    this.sessionCode = row?.sessionCode ?? null;
    this.steps.push(
      row
        ? well(`“${this.#label}” stands in the data of session ${row.sessionCode} as participant.label.`)
        : wrong(`“${this.#label}” is not in the data.`, 'The room does not keep the id. Create a new session in this room and try again.'),
    );
  }

  /** Whether people of this session get the link that was entered, and whether it answers. */
  async checkLinks(recruitment: Recruitment, sessionCode: string): Promise<void> {
    const link = completionLinks(recruitment).done;
    if (link === undefined)
      return void this.steps.push(wrong('No completion code was entered.', 'Paste it from Prolific, or wherever people come from, into the form above.'));
    const { config } = await askSession(this.#ctx, this.#instance, sessionCode);
    this.steps.push(
      config.completionlink === link
        ? well(`Session ${sessionCode} has this link as ${outcomeFields.done}.`)
        : wrong(
            `Session ${sessionCode} has ${config.completionlink ? `another ${outcomeFields.done}: ${config.completionlink.slice(0, 120)}` : `no ${outcomeFields.done}`}.`,
            'It was made before the link was entered. Create a new session here: it gets the link.',
          ),
    );
    this.steps.push(await tryLink(link));
  }
}

async function tryLink(link: string): Promise<Step> {
  if (link.startsWith(prolificCompletion)) return well(`${link} has the form that Prolific expects. It was not opened: opening it submits.`);
  if (link.endsWith('survey_code=')) return well(`${link}… has the form that Sona expects. It was not opened: opening it grants credit.`);
  try {
    const { status } = await lookAt(new URL(link));
    if (status < 400) return well(`${link} answers.`);
    return wrong(`${link} answers with status ${status}.`, 'Compare it with what the recruiting site shows.');
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    return wrong(`${link} does not answer: ${error.message}.`, 'Compare it with what the recruiting site shows.');
  }
}

const isWelcome = ({ status, url, text }: Page): boolean =>
  status === 200 && url.pathname.includes('/room/') && text.includes('welcome_page_ok') && !text.includes('wait_for_session_in_room');

/** Why the first page was not reached; null: it was. @see oTree 6.0 and 5.11 views/participant.py AssignVisitorToRoom */
function describeEntry({ status, url, text }: Page): Step | null {
  if (status === 200 && /\/p\/[^/]+\//.test(url.pathname)) return null;
  if (text.includes('wait_for_session_in_room'))
    return wrong('The link leads to a page that waits for a session: none is open in this room.', 'Create a session in this room, then try again.');
  // In the experiment's own language; a refused label or hash is answered with a <pre> or in English.
  if (status === 404 && !/<pre>|Invalid/.test(text)) return wrong('Every place of the session in this room is taken.', 'Create a larger session in this room.');
  if (text.includes('participant_label') || /label|hash/i.test(text))
    return wrong('The room does not take this id: it has a list of labels or secure links.', 'Let the room take any label: see above.');
  return wrong(`The link leads to ${url.pathname} with status ${status}.`, 'Look at the log of this instance.');
}
