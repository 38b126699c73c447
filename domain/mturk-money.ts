// What a HIT costs, and what oTree needs to publish it: dollars, a reward, boto3 where oTree is older.

import type { HitCheck, HitFacts } from './mturk-hit.ts';
import { textOf, type Judgement } from './preflight-facts.ts';

/** MTurk's fees on rewards; a HIT of oTree's has one assignment for each worker. @see https://www.mturk.com/pricing */
const fees = { percent: 20, percentOfMany: 40, many: 10, leastCents: 1 } as const;

export type HitCost = { readonly rewardCents: number; readonly rewardsCents: number; readonly feeCents: number; readonly feePercent: number };

/** @param people workers, not oTree's twice as many places */
export function costOf(rewardCents: number, people: number): HitCost {
  const feePercent = people >= fees.many ? fees.percentOfMany : fees.percent;
  const each = Math.max(fees.leastCents, Math.round((rewardCents * feePercent) / 100));
  return { rewardCents, rewardsCents: rewardCents * people, feeCents: each * people, feePercent };
}

const dollars = (cents: number): string => `$${(cents / 100).toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;

function judgeMoney({ config, offer, people, mode }: HitFacts): Judgement {
  if (config === null || offer === null)
    return {
      result: 'unknown',
      seen: 'The reward is not known.',
      means: config === null ? 'It is the participation_fee of the session config.' : 'The version in use was deployed before the panel read it.',
      fix: config === null ? 'Choose the session config under Recruit.' : 'Deploy it once more.',
      place: config === null ? 'recruit' : 'deploy',
    };
  const { participationFee: fee, currency } = offer;
  if (currency !== 'USD')
    return {
      result: 'bad',
      seen: `The project pays in ${currency || 'no currency'}.`,
      means: 'oTree publishes on MTurk in dollars only.',
      fix: 'Change this line of settings.py and push:',
      paste: "REAL_WORLD_CURRENCY_CODE = 'USD'",
      place: 'deploy',
    };
  if (fee === null || fee <= 0)
    return {
      result: 'bad',
      seen: fee === null ? 'participation_fee is no number.' : `participation_fee is ${fee}: the reward would be ${dollars(0)}.`,
      means: 'The reward is what workers are promised; a bonus comes on top.',
      fix: `Write it into the session config ${config.name} and push:`,
      paste: 'participation_fee=1.50,',
      place: 'deploy',
    };
  const reward = Math.round(fee * 100);
  if (people === null)
    return {
      result: 'attention',
      seen: `The reward is ${dollars(reward)} each.`,
      means: `MTurk’s fee on rewards is ${fees.percent} %, and ${fees.percentOfMany} % from ${fees.many} workers on.`,
      fix: 'Say how many workers are to come, above or under Recruit.',
      place: 'recruit',
    };
  const { rewardsCents, feeCents, feePercent } = costOf(reward, people);
  return {
    result: 'good',
    seen: `${people.toLocaleString('en')} workers × ${dollars(reward)} = ${dollars(rewardsCents)}, and MTurk’s fee of ${feePercent} %: ${dollars(feeCents)}. In all ${dollars(rewardsCents + feeCents)}.`,
    means: `Bonuses cost ${fees.percent} % more. ${mode === 'sandbox' ? 'In the sandbox nobody is paid; keep little money in the account while you test.' : 'Keep little more than that in the account.'}`,
  };
}

/** oTree 5.10 speaks to MTurk itself (mturk_client.py); 5.9 and older ask for boto3 (views/mturk.py). */
function judgePackage({ otreeVersion, source }: HitFacts): Judgement {
  if (otreeVersion === null) return { result: 'unknown', seen: 'The version of oTree is not known.', means: 'Older ones need boto3.' };
  const [major = 0, minor = 0] = otreeVersion.split('.').map(Number);
  if (major > 5 || (major === 5 && minor >= 10))
    return { result: 'good', seen: `oTree ${otreeVersion} speaks to MTurk itself.`, means: 'otree[mturk] and boto3 are not needed, and do no harm.' };
  const wanted = textOf(source, (file) => /^requirements[^/]*\.txt$/.test(file))
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim());
  if (wanted.some((line) => /^otree\s*\[[^\]]*\bmturk\b[^\]]*\]/i.test(line) || /^boto3\b/i.test(line)))
    return { result: 'good', seen: 'requirements.txt asks for what oTree needs for MTurk.', means: 'oTree speaks to MTurk by boto3.' };
  return {
    result: 'bad',
    seen: `requirements.txt asks for neither otree[mturk] nor boto3, which oTree ${otreeVersion} needs for MTurk.`,
    means: 'oTree’s page says that boto3 is not installed, and publishes nothing.',
    fix: 'Put this line in the place of the one for otree, and push:',
    paste: `otree[mturk]==${otreeVersion}`,
    place: 'deploy',
  };
}

export const moneyChecks: readonly HitCheck[] = [
  { id: 'mturk-money', title: 'Reward and total', judge: judgeMoney },
  { id: 'mturk-package', title: 'What oTree needs for MTurk', judge: judgePackage },
];
