// What an instance would publish on MTurk, judged for its Recruit tab by the same table as before participants come.

import type { Finding } from '../contracts/preflight.ts';
import type { Recruitment } from '../contracts/recruiting.ts';
import type { RecruitingView } from '../contracts/recruiting-view.ts';
import type { Layout } from '../platforms/layout.ts';
import type { Instance } from '../prisma/client/client.ts';
import { publishedConfig } from './preflight-facts.ts';
import { hitTable } from './preflight-mturk.ts';
import { readProject } from './present-instance.ts';
import { readTexts } from './repositories.ts';

type Wish = {
  readonly instance: Pick<Instance, 'id' | 'project'>;
  readonly recruitment: Extract<Recruitment, { kind: 'mturk' }>;
  /** Null: nothing is deployed, or the reader may not see the code. */
  readonly commit: string | null;
};

/** Null before the first deployment. Nothing of the project is run. */
export async function lookAtHit(layout: Layout, { instance, recruitment, commit }: Wish): Promise<RecruitingView['mturk']> {
  const project = readProject(instance);
  if (project === null) return null;
  const { mode, sessionConfig, expectedPeople } = recruitment.settings;
  const config = publishedConfig(project.sessionConfigs, sessionConfig);
  const source =
    commit === null ? new Map<string, string>() : await readTexts(layout, { instanceId: instance.id, commit }, ['*.py', '*.html', 'requirements*.txt']);
  const facts = { config, offer: config?.mturk ?? null, otreeVersion: project.otreeVersion, people: expectedPeople, mode, source };
  const findings = hitTable.map(({ id, title, judge }): Finding => ({
    id,
    group: 'mturk',
    title,
    fix: null,
    act: null,
    place: null,
    paste: null,
    ...judge(facts),
  }));
  return { config: config?.name ?? null, findings };
}
