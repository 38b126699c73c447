// git's pre-receive hook: hands the pushed refs to the panel over its Unix socket and refuses unless the panel says yes.
// Plain JavaScript without packages, because git starts it by node's own binary. It knows no rule: rules live in the panel.

import { request } from 'node:http';
import { stdin, stderr, env } from 'node:process';
import { text } from 'node:stream/consumers';

const patienceMs = 60_000;
const noAnswer = {
  allowed: false,
  reason: 'The panel did not answer, so nothing was changed.',
  hint: 'Wait a minute, then push again.',
};

const updates = (await text(stdin))
  .trimEnd()
  .split('\n')
  .map((line) => {
    const [oldCommit, newCommit, ref] = line.split(' ');
    return { ref, oldCommit, newCommit };
  });
const options = Array.from({ length: Number(env.GIT_PUSH_OPTION_COUNT ?? 0) }, (_, index) => env[`GIT_PUSH_OPTION_${index}`]);
const verdict = await ask({ token: env.ARBORETUM_PUSH, updates, options }).catch(() => noAnswer);
if (verdict?.allowed !== true) {
  const { reason, hint } = typeof verdict?.reason === 'string' ? verdict : noAnswer;
  const lines = ['', `  Refused: ${plain(reason)}`, `  ${plain(hint ?? '')}`, ''];
  await new Promise((resolve) => stderr.write(`${lines.join('\n')}\n`, resolve));
  process.exitCode = 1;
}

/** Sends the one-time token and what git said; rejects when the panel is away, slow or unclear. */
function ask(question) {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath: env.ARBORETUM_HOOK_SOCKET, path: '/', method: 'POST', signal: AbortSignal.timeout(patienceMs) }, (response) => {
      text(response).then(JSON.parse).then(resolve, reject);
    });
    asking.on('error', reject);
    asking.end(JSON.stringify(question));
  });
}

/** Sentences may quote what was pushed (a branch name): no control characters reach the terminal, every line is indented. */
function plain(sentence) {
  return String(sentence)
    .replace(/\u001b\[[0-?]*[ -/]*[@-~]/g, '')
    .replace(/[^\P{C}\n]/gu, '')
    .replaceAll('\n', '\n  ');
}
