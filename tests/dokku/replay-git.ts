// git-upload-pack of the replay host: git itself, on a repository that a test gave the app. @see records clone, ls-remote

import { spawn } from 'node:child_process';
import { type Call, passOn, Unrecorded } from './replay-call.ts';
import type { State } from './replay-state.ts';

export const gitCommands = (state: State): Record<string, (call: Call) => Promise<number>> => ({
  'git-upload-pack': async (call) => {
    const name = /^'\/(.+)'$/.exec(call.words[0] ?? '')?.[1];
    if (name === undefined || call.words.length !== 1) throw new Unrecorded('git-upload-pack of anything but one quoted path');
    const { repository } = state.app(name);
    if (repository === null) throw new Unrecorded('git-upload-pack of an app to which nobody has pushed');
    const child = spawn('git', ['-c', 'safe.directory=*', 'upload-pack', repository], { env: { PATH: '/usr/bin:/bin', HOME: '/nonexistent' } });
    child.stdin.on('error', () => {});
    call.stdin.pipe(child.stdin);
    return await passOn(child, call);
  },
});
