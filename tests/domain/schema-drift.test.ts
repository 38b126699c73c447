// What is said about models that do not fit, and who chooses what becomes of the data.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemActor } from '../../domain/context.ts';
import { requestDeployment } from '../../domain/deployments.ts';
import { deployAgain, describeGaps, driftChoiceFor, driftChoiceOf, setResetsOnDrift } from '../../domain/schema-drift.ts';
import type { SchemaGap } from '../../platforms/release.ts';
import { aUser, anInstance, testContext, type TestContext } from '../factories.ts';

const missing = (table: string, column: string): SchemaGap => ({ kind: 'missing', table, column, wanted: 'integer', found: null });

describe('the sentence about the columns', () => {
  it('names one column by its model and app', () => {
    expect(describeGaps([missing('trust_game_player', 'offer')])).toBe(
      'The new version needs a column `player.offer` in `trust_game` that the database does not have.',
    );
  });

  it('names several, models of one’s own and oTree’s own tables by the table', () => {
    expect(describeGaps([missing('pd_group', 'sum'), missing('pd_trial', 'x'), missing('otree_session', 'admin')])).toBe(
      'The new version needs the columns `group.sum` in `pd`, `x` in the table `pd_trial` and `admin` in the table `otree_session` that the database does not have.',
    );
  });

  it('says what changed its type and what must be filled, and counts what is too much to name', () => {
    const changed: SchemaGap = { kind: 'changed', table: 'pd_player', column: 'age', wanted: 'integer', found: 'text' };
    const required: SchemaGap = { kind: 'required', table: 'pd_player', column: 'old', wanted: null, found: 'integer' };
    expect(describeGaps([changed, required])).toBe(
      'The column `player.age` in `pd` is “text” in the database and “integer” in the new version. The database insists on a column `player.old` in `pd` that the new version leaves empty.',
    );
    expect(describeGaps(Array.from({ length: 9 }, (_, at) => missing('pd_player', `f${at}`)))).toContain('5 more columns do not fit.');
  });
});

describe('the choice', () => {
  it('is the one of this push, else the instance’s setting, else to keep the old version', () => {
    expect(driftChoiceOf(['reason=x', 'on-drift=go-on'])).toBe('go-on');
    expect(driftChoiceOf(['reason=x'])).toBeUndefined();
    expect(() => driftChoiceOf(['on-drift=wipe'])).toThrow('“on-drift=wipe” is not known.');
    expect(driftChoiceFor({ input: {} }, { resetsOnDrift: false })).toBe('keep');
    expect(driftChoiceFor({ input: {} }, { resetsOnDrift: true })).toBe('reset');
    expect(driftChoiceFor({ input: { onDrift: 'keep' } }, { resetsOnDrift: true })).toBe('keep');
    expect(driftChoiceFor({ input: { onDrift: 'wipe' } }, { resetsOnDrift: false })).toBe('keep');
  });

  describe('kept with the job and in the audit', () => {
    let ctx: TestContext;
    beforeAll(async () => {
      ctx = await testContext();
    });
    afterAll(() => ctx.close());

    it('deploys the same commit once more, a reset only by name, and only after the newest has failed', async () => {
      const owner = await aUser(ctx);
      const row = await anInstance(ctx, { ownerId: owner.id });
      const instance = { ...row, owner, shares: [] };
      const source = { commit: 'c'.repeat(40), message: 'm', author: 'a', branch: 'main' };
      const first = await requestDeployment(ctx, owner, { instance, source });
      const deploymentId = first.deploymentId ?? '';
      const again = (more: object) => deployAgain(ctx, owner, { instance, deploymentId, onDrift: 'reset', confirm: instance.name, ...more });
      await expect(again({})).rejects.toMatchObject({ code: 'push_refused' });
      await ctx.db.deployment.update({ where: { id: deploymentId }, data: { state: 'failed' } });
      await expect(again({ confirm: 'another' })).rejects.toMatchObject({ code: 'confirmation_missing' });
      const second = await again({});
      expect(second).toMatchObject({ kind: 'deploy', input: { onDrift: 'reset' } });
      expect(await ctx.db.deployment.findUnique({ where: { id: second.deploymentId ?? '' } })).toMatchObject({ number: 2, commit: source.commit });
      await expect(again({})).rejects.toMatchObject({ code: 'push_refused' });
      expect(await ctx.db.audit.findMany({ where: { instanceId: instance.id }, orderBy: { id: 'asc' } })).toMatchObject([
        { detail: { commit: source.commit } },
        { actorName: owner.name, detail: { onDrift: 'reset' } },
      ]);
      await setResetsOnDrift(ctx, systemActor, { instance, resetsOnDrift: true });
      expect(await ctx.db.instance.findUnique({ where: { id: instance.id } })).toMatchObject({ resetsOnDrift: true });
    });
  });
});
