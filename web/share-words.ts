// What each way of working on an instance means, in plain words.

import type { ShareLevel } from '../contracts/shares.ts';

export const levelWords: Readonly<Record<ShareLevel, { name: string; means: string }>> = {
  operate: { name: 'Operate', means: 'opens the Lobby, creates sessions and may see the oTree sign-in' },
  view: { name: 'View', means: 'sees everything here but secrets and logs, and changes nothing' },
};
export const ownerMeans = 'pushes the project, starts, stops and resets it, sets the password and the environment';
export const levelOptions = (['operate', 'view'] as const).map((value) => ({ value, text: levelWords[value].name }));
