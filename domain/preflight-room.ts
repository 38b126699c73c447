// Preflight: the room takes the people who are to come, and a session of the right size waits in it.

import { needsAnyLabel } from '../contracts/recruiting.ts';
import { chosenConfig, isOfApp, textOf, withoutComments, type Judgement, type PreflightCheck, type PreflightFacts } from './preflight-facts.ts';

const inRooms = ['lab', 'prolific', 'sona', 'link'] as const;
const number = (value: number): string => value.toLocaleString('en');

function judgeRoom({ listedRoom, room }: PreflightFacts): Judgement {
  if (listedRoom === null)
    return {
      result: 'bad',
      seen: `There is no room “${room}”.`,
      means: 'Its link leads nowhere.',
      fix: 'Make the room, or look at another one.',
      place: 'rooms',
    };
  if (listedRoom.problem !== null)
    return {
      result: 'bad',
      seen: listedRoom.problem,
      means: 'oTree answers everybody in this room with an error.',
      fix: 'Correct the labels, or edit the room here.',
      place: 'rooms',
    };
  return { result: 'good', seen: `The room “${listedRoom.displayName}” is there.`, means: 'Its link stays the same for every session.' };
}

const noRoomSeen = { result: 'unknown', seen: 'There is no such room.', means: 'See the check before this one.' } as const;

function judgeLabels({ listedRoom, kind, people }: PreflightFacts): Judgement {
  if (listedRoom === null) return noRoomSeen;
  const { labels, usesSecureUrls } = listedRoom;
  if (needsAnyLabel(kind)) {
    if (labels === null) return { result: 'good', seen: 'The room takes any label.', means: 'Ids that nobody knows before can come in.' };
    return {
      result: 'bad',
      seen: `The room takes only its ${number(labels.length)} labels${usesSecureUrls ? ', and only by secure links' : ''}.`,
      means: 'Everybody who comes with another id is turned away.',
      fix: 'Let this room take any label; settings.py stays as it is.',
      place: 'recruit',
    };
  }
  if (labels === null)
    return {
      result: 'attention',
      seen: 'The room has no labels.',
      means: 'Computers are told apart by cookies only: whoever clears them, or opens a second window, is somebody new.',
      fix: 'Give every seat a label.',
      place: 'rooms',
    };
  if (people !== null && labels.length < people)
    return {
      result: 'bad',
      seen: `${number(labels.length)} labels for ${number(people)} people.`,
      means: `${number(people - labels.length)} of them find no seat.`,
      fix: 'Add labels.',
      place: 'rooms',
    };
  return {
    result: 'good',
    seen: `${number(labels.length)} labels${people === null ? '' : ` for ${number(people)} people`}.`,
    means: 'Whoever comes back sits where they sat.',
  };
}

function judgeLinks({ listedRoom, otree }: PreflightFacts): Judgement {
  if (listedRoom === null) return noRoomSeen;
  if (!listedRoom.usesSecureUrls) return { result: 'not-here', seen: 'The room has no secure links.', means: 'Labels alone open it.' };
  const link = otree?.link;
  if (!link)
    return {
      result: 'unknown',
      seen: 'The running oTree could not be asked.',
      means: 'Whether the links open the room is not known.',
      fix: 'Start the experiment and look again.',
      act: 'start',
    };
  if (!link.opens)
    return {
      result: 'bad',
      seen: 'oTree does not take the panel’s link for the first label.',
      means: 'Links that were handed out are refused, too.',
      fix: 'Restart the experiment; if it stays, save the room once more.',
      act: 'restart',
    };
  if (link.wrongOpens)
    return {
      result: 'bad',
      seen: 'oTree takes a link with a wrong end, too.',
      means: 'Anybody who knows a label can take that seat.',
      fix: 'Save the room once more with secure links.',
      place: 'rooms',
    };
  return { result: 'good', seen: 'A link of the panel opens the room, one with a wrong end does not.', means: 'Links that were handed out are valid.' };
}

function judgeSession(facts: PreflightFacts): Judgement {
  const { open, otree, people } = facts;
  const create = { place: 'rooms' } as const;
  if (open === null)
    return {
      result: 'bad',
      seen: 'There is no session in the room.',
      means: 'People wait on a page until one is made.',
      fix: `Create one${people === null ? '' : ` with at least ${number(people)} places`} under “Rooms & Lobby”.`,
      ...create,
    };
  const session = otree?.sessions?.find(({ code }) => code === open.code);
  if (!session)
    return {
      result: 'unknown',
      seen: `Session ${open.code} is open in the room.`,
      means: 'How many places it has could not be asked.',
      fix: 'Look at it in oTree.',
    };
  const seen = `Session ${session.code} (${session.config}) has ${number(session.participants)} places, ${number(open.started)} of them taken.`;
  if (!session.isWhole)
    return {
      result: 'bad',
      seen: `The making of session ${session.code} broke off.`,
      means: 'Its people meet an error, and no data can be exported together.',
      fix: 'Create another session, and delete this one in oTree.',
      ...create,
    };
  const free = session.participants - open.started;
  if (people !== null && session.participants < people)
    return {
      result: 'bad',
      seen,
      means: `${number(people)} people are expected: the last ones read “session is full”.`,
      fix: 'Create a larger session: a new one takes its place in the room.',
      ...create,
    };
  if (people !== null && free < people)
    return {
      result: 'attention',
      seen,
      means: `${number(free)} places are free for ${number(people)} people, unless some of those have begun already.`,
      fix: 'Take the data home, then create a new session in this room; the old one keeps its data.',
      ...create,
    };
  return { result: 'good', seen, means: people === null ? 'Say how many people you expect to compare.' : `${number(people)} people are expected.` };
}

/** Group sizes and wait pages, as the source says them: nothing of it is run. */
function judgeGroups(facts: PreflightFacts): Judgement {
  const config = chosenConfig(facts);
  if (config === null)
    return {
      result: 'unknown',
      seen: 'Which session config will be played is not known.',
      means: 'Group sizes are compared when a session is in the room.',
      fix: 'Create the session, then look again.',
      place: 'rooms',
    };
  const apps = config.appSequence.map((app) => ({ app, code: withoutComments(textOf(facts.source, isOfApp(app, /\.py$/))) }));
  const sizes = apps.flatMap(({ app, code }) => {
    const size = Number(/players_per_group\s*=\s*(\d+)/i.exec(code)?.[1] ?? 0);
    return size > 1 ? [{ app, size }] : [];
  });
  const waiting = apps.filter(({ code }) => /\(\s*WaitPage\s*\)|group_by_arrival_time\s*=\s*True/.test(code)).map(({ app }) => app);
  const odd = facts.people === null ? undefined : sizes.find(({ size }) => (facts.people ?? 0) % size !== 0);
  if (odd)
    return {
      result: 'bad',
      seen: `${odd.app} plays in groups of ${odd.size}, and ${number(facts.people ?? 0)} people are expected.`,
      means: 'oTree refuses a session of this size.',
      fix: `Choose a multiple of ${odd.size}, above or under Recruit.`,
      place: 'recruit',
    };
  if (waiting.length > 0 && facts.kind !== 'lab')
    return {
      result: 'attention',
      seen: `People wait for each other in ${waiting.join(', ')}.`,
      means: 'Online, some leave or come late, and their partners wait for ever.',
      fix: 'Give pages a timeout, group by arrival time, and offer a way out with a completion link of its own (“no partner”).',
      place: 'recruit',
    };
  const grouping = apps.filter(({ code }) => /\b(?:set_group_matrix|group_randomly|group_like_round|get_group_matrix)\b/.test(code)).map(({ app }) => app);
  if (facts.kind === 'mturk' && grouping.length > 0)
    return {
      result: 'attention',
      seen: `Code puts people into groups in ${grouping.join(', ')}.`,
      means: `oTree makes twice as many participants as workers${facts.people === null ? '' : `, ${number(facts.people * 2)} here`}: the code sees all of them, and half stay empty.`,
      fix: 'Group by arrival time instead, so that only those who came are put together.',
      place: 'deploy',
    };
  const seen = sizes.length === 0 ? 'Nobody plays in groups.' : `Groups: ${sizes.map(({ app, size }) => `${size} in ${app}`).join(', ')}.`;
  return { result: 'good', seen, means: waiting.length === 0 ? 'Nobody has to wait for another person.' : 'In the lab those who wait can be seen.' };
}

export const roomChecks: readonly PreflightCheck[] = [
  { id: 'room', group: 'room', title: 'The room is there', kinds: inRooms, judge: judgeRoom },
  { id: 'labels', group: 'room', title: 'The room takes these people', kinds: inRooms, judge: judgeLabels },
  { id: 'secure-links', group: 'room', title: 'Secure links are valid', kinds: ['lab'], judge: judgeLinks },
  { id: 'session', group: 'room', title: 'A session of the right size', kinds: inRooms, judge: judgeSession },
  { id: 'groups', group: 'room', title: 'Groups and wait pages', judge: judgeGroups },
];
