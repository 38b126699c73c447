// Recruitment of a room: the links that follow from it, how they reach the experiment, two people at once, the source.

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completionLinks, entryLink, putRecruitmentSchema, recruitmentSchema, sessionFieldsOf, type Recruitment } from '../../contracts/recruiting.ts';
import { findInstance } from '../../domain/access.ts';
import { newId } from '../../domain/ids.ts';
import { readEnvironment } from '../../domain/environment-variables.ts';
import { readRecruiting, saveRecruitment } from '../../domain/recruiting.ts';
import { lookAtHit } from '../../domain/mturk-look.ts';
import { lookAtSource } from '../../domain/recruiting-source.ts';
import { commitFolder, createRepository } from '../../domain/repositories.ts';
import { loadStartable, specOf } from '../../domain/specs.ts';
import { aProject, anInstance, aRoom, aUser, testContext, type TestContext } from '../factories.ts';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
  mkdirSync(ctx.config.layout.repositoriesDir, { recursive: true });
});
afterAll(() => ctx.close());

const address = 'https://study.lab.example';
const kind = (name: string, settings: object = {}): Recruitment => recruitmentSchema.parse({ kind: name, settings });
const prolificLink = (code: string): string => `https://app.prolific.com/submissions/complete?cc=${code}`;

describe('the entry link', () => {
  it('of Prolific has the exact form, with study and session where they are wanted', () => {
    const begin = `${address}/room/study?participant_label={{%PROLIFIC_PID%}}`;
    expect(entryLink(kind('prolific'), address, 'study')).toBe(begin);
    expect(entryLink(kind('prolific', { passesIds: true }), address, 'study')).toBe(`${begin}&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}`);
    expect(entryLink(kind('prolific', { skipsWelcomePage: true }), address, 'study')).toBe(`${begin}&welcome_page_ok=1`);
  });

  it('of Sona and of an own link carries their placeholder; the lab and MTurk have none', () => {
    expect(entryLink(kind('sona'), address, 'study')).toBe(`${address}/room/study?participant_label=%SURVEY_CODE%`);
    expect(entryLink(kind('link', { placeholder: '[ID]' }), address, 'study')).toBe(`${address}/room/study?participant_label=[ID]`);
    expect([entryLink(kind('lab'), address, 'lab'), entryLink(kind('mturk'), address, '')]).toEqual([null, null]);
  });
});

describe('completion links', () => {
  it('are made of codes; a pasted link of Prolific is its code, another site’s stays', () => {
    const made = kind('prolific', { done: ` ${prolificLink('C1ABC')} `, screenedOut: 'C2', noConsent: 'https://panel.example/end?x=1', timedOut: '' });
    expect(sessionFieldsOf(made)).toEqual({
      completionlink: prolificLink('C1ABC'),
      screenedoutlink: prolificLink('C2'),
      noconsentlink: 'https://panel.example/end?x=1',
    });
  });

  it('of Sona end where the experiment puts the label', () => {
    const creditUrl = 'https://uni.sona-systems.com/webstudy_credit.aspx?experiment_id=123&credit_token=4e48f9b638a&survey_code=XXXX';
    expect(completionLinks(kind('sona', { creditUrl })).done).toBe(
      'https://uni.sona-systems.com/webstudy_credit.aspx?experiment_id=123&credit_token=4e48f9b638a&survey_code=',
    );
  });

  it.each([
    ['a code with a blank', 'prolific', { done: 'C1 ABC' }],
    ['a script as a link', 'link', { done: 'javascript:alert(1)' }],
    ['a link with a password', 'link', { done: 'https://ada:secret@site.example/' }],
    ['a Sona link without a token', 'sona', { creditUrl: 'https://uni.sona-systems.com/' }],
    ['a field that nobody knows', 'prolific', { donee: 'C1' }],
  ])('%s is refused', (_what, name, settings) => {
    expect(recruitmentSchema.safeParse({ kind: name, settings }).success).toBe(false);
  });

  it('only MTurk is without a room', () => {
    const put = (room: string, name: string) => putRecruitmentSchema.safeParse({ room, recruitment: { kind: name }, since: null }).success;
    expect([put('', 'mturk'), put('study', 'mturk'), put('', 'prolific'), put('study', 'prolific')]).toEqual([true, false, false, true]);
  });
});

async function aStudy() {
  const owner = await aUser(ctx);
  const rooms = [aRoom({ name: 'study' }), aRoom({ name: 'other' })];
  const row = await anInstance(ctx, { ownerId: owner.id, state: 'running', project: aProject({ rooms }) });
  const deployment = await ctx.db.deployment.create({
    data: { id: newId(), instanceId: row.id, number: 1, commit: 'a'.repeat(40), message: '', author: '', branch: 'main', createdByName: 'test' },
  });
  await ctx.db.instance.update({ where: { id: row.id }, data: { currentDeploymentId: deployment.id } });
  const find = () => findInstance(ctx, owner, { name: row.name, action: 'instance.change' });
  const view = async () => readRecruiting(ctx, owner, await find());
  const save = async (room: string, settings: object, since: string | null = null) =>
    saveRecruitment(ctx, owner, { instance: await find(), wish: { room, recruitment: kind('prolific', settings), since } });
  const sinceOf = async (room: string): Promise<string | null> => (await view()).rooms.find((one) => one.room === room)?.updatedAt ?? null;
  return { owner, id: row.id, view, save, sinceOf };
}

describe('what is saved for a room', () => {
  it('reaches the experiment as session fields and environment, and waits for a restart', async () => {
    const { id, view, save, sinceOf } = await aStudy();
    expect((await view()).pendingSince).toBeNull();
    await save('study', { done: 'C1' });
    const spec = specOf(ctx, await loadStartable(ctx, id));
    expect(spec.sessionFields).toEqual({ completionlink: prolificLink('C1') });
    expect(spec.environment['COMPLETIONLINK']?.open()).toBe(prolificLink('C1'));
    expect((await view()).pendingSince).not.toBeNull();
    expect((await readEnvironment(ctx, id)).pendingSince).not.toBeNull();
    await ctx.db.job.create({ data: { id: newId(), kind: 'restart', instanceId: id, state: 'succeeded', actorName: 'test', startedAt: new Date() } });
    expect((await view()).pendingSince).toBeNull();
    // How many are expected is no business of the experiment.
    await save('study', { done: 'C1', expectedPeople: 40 }, await sinceOf('study'));
    expect((await view()).pendingSince).toBeNull();
  });

  it('of two rooms with codes of their own, oTree’s admin gets what was saved last', async () => {
    const { view, save, sinceOf } = await aStudy();
    await save('study', { done: 'C1', noConsent: 'N1' });
    await save('other', { done: 'C2' });
    expect((await view()).adminFields).toEqual([
      { field: 'completionlink', link: prolificLink('C2'), room: 'other' },
      { field: 'noconsentlink', link: prolificLink('N1'), room: 'study' },
    ]);
    await save('study', { done: 'C3' }, await sinceOf('study'));
    expect((await view()).adminFields).toEqual([{ field: 'completionlink', link: prolificLink('C3'), room: 'study' }]);
  });

  it('a variable of the owner’s takes the place of a link in the environment', async () => {
    const { owner, id, save } = await aStudy();
    await save('study', { done: 'C1' });
    const name = 'COMPLETIONLINK';
    const value = ctx.sealer.seal('mine', `environment_variable/${id}/${name}/value`);
    await ctx.db.environmentVariable.create({ data: { instanceId: id, name, value, updatedByName: owner.name } });
    expect(specOf(ctx, await loadStartable(ctx, id)).environment[name]?.open()).toBe('mine');
  });

  it('of two people who edit it at once, the second is told who was first', async () => {
    const { owner, save } = await aStudy();
    const both = await Promise.allSettled([save('study', { done: 'C1' }), save('study', { done: 'C2' })]);
    const refused = both.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(refused.reason).toMatchObject({ code: 'recruiting_changed' });
    expect(String(refused.reason)).toContain(owner.name);
  });

  it('a room that is not there is refused', async () => {
    const { save } = await aStudy();
    await expect(save('nowhere', {})).rejects.toMatchObject({ code: 'room_unknown' });
  });
});

describe('the deployed source', () => {
  const projectDir = path.join(import.meta.dirname, '..', 'projects', 'prolific-study');
  const commitOf = async (folder: string) => {
    const { layout } = ctx.config;
    const instanceId = newId();
    await createRepository(layout, instanceId);
    return { instanceId, commit: await commitFolder(layout, instanceId, { folder, message: 'study' }) };
  };

  it('is searched for links, labels and consent, without running any of it', async () => {
    const looks = await lookAtSource(ctx.config.layout, await commitOf(projectDir));
    expect(looks.ownLinks).toMatchObject([{ file: 'settings.py', line: 9 }]);
    expect(looks.readsLink.map(({ file }) => file)).toContain('finish/__init__.py');
    expect(looks.hardCoded).toEqual([]);
    expect(looks.keepsLabel).toMatchObject([{ file: 'work/__init__.py', text: "player.prolific_id = player.participant.label or ''" }]);
    expect(looks.usesConsent.length).toBeGreaterThan(0);
    expect(looks.hasConsentField).toBe(true);
  });

  it('a link in a page, a comment, and a field list without consent are told apart', async () => {
    const folder = path.join(ctx.config.layout.dataDir, newId());
    mkdirSync(path.join(folder, 'end'), { recursive: true });
    writeFileSync(path.join(folder, 'settings.py'), "PARTICIPANT_FIELDS = [\n    'age',\n]\n# 'consent' comes later\n# completionlink='x'\n");
    writeFileSync(path.join(folder, 'end', 'End.html'), `<a href="${prolificLink('OLD')}">back</a>\n`);
    const looks = await lookAtSource(ctx.config.layout, await commitOf(folder));
    expect(looks.hardCoded).toMatchObject([{ file: 'end/End.html', line: 1 }]);
    expect([looks.ownLinks, looks.readsLink, looks.keepsLabel, looks.hasConsentField]).toEqual([[], [], [], false]);
  });

  it('a commit that is gone says nothing', async () => {
    const { instanceId } = await commitOf(projectDir);
    expect((await lookAtSource(ctx.config.layout, { instanceId, commit: 'b'.repeat(40) })).keepsLabel).toEqual([]);
  });
});

describe('what would be published on MTurk', () => {
  const folder = path.join(import.meta.dirname, '..', 'projects', 'mturk-study');
  const mturk = { hit: { title: 'Decide', template: 'global/mturk_template.html' }, participationFee: 0.5, currency: 'USD' };
  const sessionConfigs = [
    { name: 'decide', displayName: 'One decision', appSequence: ['decide'], numDemoParticipants: 2, mturk },
    { name: 'pilot', displayName: 'Pilot', appSequence: ['decide'], numDemoParticipants: 2, mturk: { ...mturk, hit: null } },
  ];
  const choice = (settings: object) => recruitmentSchema.parse({ kind: 'mturk', settings }) as Extract<Recruitment, { kind: 'mturk' }>;

  it('is judged with the text of the deployed commit, for the session config that was chosen', async () => {
    const { layout } = ctx.config;
    const instance = await anInstance(ctx, { project: aProject({ sessionConfigs }) });
    await createRepository(layout, instance.id);
    const commit = await commitFolder(layout, instance.id, { folder, message: 'study' });
    const look = async (settings: object, at: string | null = commit) => {
      const found = await lookAtHit(layout, { instance, recruitment: choice(settings), commit: at });
      return { config: found?.config, results: Object.fromEntries((found?.findings ?? []).map(({ id, result }) => [id, result])) };
    };
    const first = await look({ expectedPeople: 12 });
    expect(first.config).toBe('decide');
    expect(first.results).toMatchObject({
      'mturk-settings': 'bad',
      'mturk-template': 'good',
      'mturk-button': 'good',
      'mturk-money': 'good',
      'mturk-retakes': 'attention',
    });
    expect(await look({ sessionConfig: 'pilot' })).toMatchObject({ config: 'pilot', results: { 'mturk-settings': 'bad', 'mturk-template': 'unknown' } });
    // Who may not fetch the code learns nothing of it.
    expect((await look({}, null)).results).toMatchObject({ 'mturk-template': 'unknown', 'mturk-button': 'unknown' });
  });

  it('stands on the tab once MTurk was chosen', async () => {
    const owner = await aUser(ctx);
    const { name } = await anInstance(ctx, { ownerId: owner.id, state: 'running', project: aProject({ sessionConfigs }) });
    const find = () => findInstance(ctx, owner, { name, action: 'instance.change' });
    const view = async () => readRecruiting(ctx, owner, await find());
    expect((await view()).mturk).toBeNull();
    await saveRecruitment(ctx, owner, { instance: await find(), wish: { room: '', recruitment: choice({ sessionConfig: 'decide' }), since: null } });
    expect((await view()).mturk).toMatchObject({ config: 'decide', findings: expect.arrayContaining([expect.objectContaining({ id: 'mturk-money' })]) });
  });
});
