// Preflight: the numbers. How many people one oTree takes, memory, disk; and whether the data so far are safe.

import type { Judgement, PreflightCheck, PreflightFacts } from './preflight-facts.ts';

/** 300 at a page per ten seconds were run, 400 reckoned: docs/performance.md. */
const easyPeople = 300;
const mostPeople = 400;
/** Time in which a session of so many people is made, everybody waiting: 0.75 s for 200, 1 s for 300 (measured). */
const secondsPerPerson = 1 / 300;
/** What oTree grew by with 650 people in it (measured): 10 MiB; doubled, and what it needs from the start. */
const mibPerPerson = 20 / 650;
const spareMib = 60;
const mib = 1024 ** 2;
const number = (value: number): string => Math.round(value).toLocaleString('en');

function judgePeople({ people, kind }: PreflightFacts): Judgement {
  if (people === null)
    return {
      result: 'attention',
      seen: 'Nobody has said how many people are to come.',
      means: 'Places, memory and speed cannot be judged without it.',
      fix: 'Say it above, or under Recruit.',
      place: 'recruit',
    };
  const seconds = Math.round(people * secondsPerPerson);
  const making = `Making a session of ${number(people)} takes ${seconds < 1 ? 'less than a second' : `about ${seconds} s`}, and pages wait meanwhile.`;
  const advice = 'Spread people over time; use live pages for many short rounds. More rooms, sessions or web processes do not help: oTree uses one core.';
  if (people <= easyPeople)
    return {
      result: 'good',
      seen: `${number(people)} people.`,
      means:
        `One oTree takes about 80 requests a second: 300 to 400 people who turn a page every ten seconds. ${kind === 'lab' ? 'All may begin together.' : ''} ${making}`.replace(
          / {2,}/g,
          ' ',
        ),
    };
  const seen = `${number(people)} people. One oTree takes about 80 requests a second: 300 to 400 people at a page every ten seconds.`;
  if (people <= mostPeople) return { result: 'attention', seen, means: `All at once they would wait for pages. ${making}`, fix: advice, place: 'recruit' };
  return {
    result: kind === 'lab' ? 'bad' : 'attention',
    seen,
    means: `If all come at once, pages take seconds. ${making}`,
    fix: kind === 'lab' ? `Make several instances with fewer people each. ${advice}` : `Open the study in steps of at most ${mostPeople} places. ${advice}`,
    place: 'recruit',
  };
}

/** For MTurk oTree makes twice as many participants as workers are asked for (6.0 settings.py MTURK_NUM_PARTICIPANTS_MULTIPLE). */
const placesOf = ({ people, kind }: PreflightFacts): number => (people ?? 0) * (kind === 'mturk' ? 2 : 1);

function judgeMemory(facts: PreflightFacts): Judgement {
  const { instance, machine } = facts;
  const { memoryBytes, memoryMib } = instance;
  if (memoryBytes === null) return { result: 'unknown', seen: 'How much memory it uses is not known.', means: 'It does not run, or the platform cannot tell.' };
  const used = memoryBytes / mib;
  const wanted = used + spareMib + placesOf(facts) * mibPerPerson;
  const seen = `It uses ${number(used)} of ${number(memoryMib)} MiB${machine === null ? '' : `; the machine has ${number(machine.availableMib)} MiB left`}.`;
  if (wanted > memoryMib)
    return {
      result: 'bad',
      seen,
      means: 'With people in it, it may be ended for using more than it may.',
      fix: 'Restart it, or ask a lab manager for more memory under Settings.',
      act: 'restart',
      place: 'settings',
    };
  if (machine !== null && machine.availableMib < wanted - used)
    return { result: 'bad', seen, means: 'The machine has too little left: the system may end an experiment.', fix: 'Stop instances that nobody uses.' };
  if (wanted > memoryMib * 0.8)
    return { result: 'attention', seen, means: 'It is enough, with little to spare.', fix: 'Restart it before the study.', act: 'restart' };
  return { result: 'good', seen, means: 'There is room for everybody.' };
}

function judgeDisk({ instance, machine }: PreflightFacts): Judgement {
  const { diskBytes, diskMib } = instance;
  if (diskBytes === null && machine === null) return { result: 'unknown', seen: 'How full the disk is is not known.', means: 'The platform cannot tell.' };
  const used = (diskBytes ?? 0) / mib;
  const left = machine === null ? '' : `; ${number(machine.freeDiskMib)} MiB are free on the machine`;
  const seen = `${diskBytes === null ? 'Its disk share was not measured' : `Its files take ${number(used)} of ${number(diskMib)} MiB`}${left}.`;
  if (machine !== null && machine.freeDiskMib < 1024)
    return { result: 'bad', seen, means: 'A full disk stops the database, and every experiment with it.', fix: 'Ask a lab manager to make room.' };
  if (diskBytes !== null && used > diskMib * 0.9)
    return {
      result: 'bad',
      seen,
      means: 'The panel stops an experiment whose share is full.',
      fix: 'Remove files that it wrote, or ask for a larger share.',
      place: 'settings',
    };
  if ((diskBytes !== null && used > diskMib * 0.7) || (machine !== null && machine.freeDiskMib < 5 * 1024))
    return { result: 'attention', seen, means: 'It is enough for now.', fix: 'Look at it again before the next study.' };
  return { result: 'good', seen, means: 'There is room for data and backups.' };
}

function judgeBackup({ instance, lastBackupAt, otree, now }: PreflightFacts): Judgement {
  const gaps = (otree?.tables?.gaps.length ?? 0) > 0;
  if ((instance.rows ?? 0) === 0) return { result: 'good', seen: 'There are no data yet.', means: 'Nothing can be lost.' };
  if (instance.lastParticipantAt === null)
    return { result: 'good', seen: 'Nobody has taken part yet.', means: 'Sessions that were only made can be made again.' };
  const rows = `${number(instance.rows ?? 0)} rows`;
  const take = {
    fix: gaps ? 'Back up now, before you reset: the reset takes a backup, too.' : 'Back up now; the experiment goes on meanwhile.',
    act: 'back-up',
  } as const;
  if (lastBackupAt === null)
    return { result: 'bad', seen: `${rows}, and no backup that was checked.`, means: 'What earlier sessions gathered exists once.', ...take };
  if (instance.lastParticipantAt > lastBackupAt)
    return { result: 'attention', seen: `${rows}; people took part after the last backup.`, means: 'What they did exists once.', ...take };
  const hours = Math.round((now.getTime() - lastBackupAt.getTime()) / 3_600_000);
  return {
    result: 'good',
    seen: `${rows}; the last backup is ${hours < 1 ? 'less than an hour' : `${number(hours)} h`} old, and nobody has taken part since.`,
    means: 'It was restored once on trial, so it can be brought back.',
  };
}

export const loadChecks: readonly PreflightCheck[] = [
  { id: 'people', group: 'load', title: 'How many people', judge: judgePeople },
  { id: 'memory', group: 'load', title: 'Memory', judge: judgeMemory },
  { id: 'disk', group: 'load', title: 'Disk', judge: judgeDisk },
  { id: 'backup', group: 'data', title: 'Data of before are safe', judge: judgeBackup },
];
