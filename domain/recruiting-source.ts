// What the deployed source says about recruiting: a text search in the git tree, nothing of it is executed.

import type { SourceLooks } from '../contracts/recruiting-view.ts';
import type { Layout } from '../platforms/layout.ts';
import { searchCommit, type FoundLine } from './repositories.ts';

const settingsFiles = ['settings.py', 'settings/*.py'];
const codeFiles = ['*.py', '*.html', '*.js'];
const isComment = ({ text }: FoundLine): boolean => text.startsWith('#') || text.startsWith('//') || text.startsWith('{#');

/** Looks through one commit: where completion links, labels and consent occur. */
export async function lookAtSource(layout: Layout, at: { readonly instanceId: string; readonly commit: string }): Promise<SourceLooks> {
  const find = async (pattern: string, paths: readonly string[]): Promise<FoundLine[]> =>
    (await searchCommit(layout, at, { pattern, paths })).filter((line) => !isComment(line));
  const [links, hardCoded, keepsLabel, usesConsent, fields] = await Promise.all([
    find('completionlink|screenedoutlink|nopartnerlink|timedoutlink|noconsentlink', codeFiles),
    find('app\\.prolific\\.(com|co)/submissions/complete', codeFiles),
    find('participant\\.label', ['*.py', '*.html']),
    // What is kept in participant.vars needs no name in settings.py.
    find('participant\\.consent', ['*.py', '*.html']),
    find('PARTICIPANT_FIELDS|consent', settingsFiles),
  ]);
  const isInSettings = ({ file }: FoundLine): boolean => /^settings(?:\.py|\/)/.test(file);
  return {
    commit: at.commit,
    ownLinks: links.filter(isInSettings),
    readsLink: links.filter((line) => !isInSettings(line)),
    hardCoded: hardCoded.filter((line) => !isInSettings(line)),
    keepsLabel,
    usesConsent,
    hasConsentField: hasConsentField(fields),
  };
}

/** `PARTICIPANT_FIELDS = ['consent']` on one line, or `'consent'` on one of the lines that follow it. */
function hasConsentField(lines: readonly FoundLine[]): boolean {
  const begin = lines.find(({ text }) => /^PARTICIPANT_FIELDS\b/.test(text));
  return begin !== undefined && lines.some(({ file, line, text }) => file === begin.file && line >= begin.line && /['"]consent['"]/.test(text));
}
