// A course at once: a pasted list, a look at how it is understood, then one job.

import { useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { Link, useNavigate } from 'react-router';
import { Segment } from 'semantic-ui-react';
import type { z } from 'zod';
import { coursePreviewSchema, planCourseSchema, startedCourseSchema, type CourseLine, type CoursePlan } from '../../contracts/courses.ts';
import { request } from '../api.ts';
import { CoursePreview } from '../components/CoursePreview.tsx';
import { SubmitBar } from '../components/SubmitBar.tsx';
import { TextField } from '../components/TextField.tsx';
import { useForm } from '../form.ts';
import { followJob } from '../jobs.ts';
import { countOf } from '../numbers.ts';
import { useMay, usePanel } from '../panel.ts';
import { useTitle } from '../title.ts';

export function CourseNew(): ReactNode {
  useTitle('New course');
  const may = useMay('courses.manage');
  return (
    <>
      <p>
        <Link to="/people">‹ People</Link>
      </p>
      <h1>New course</h1>
      {may ? <CourseForm /> : <p>Only lab managers make courses.</p>}
    </>
  );
}

const example = 'Ada Lovelace; ada; ada@uni.example\nGrace Hopper; grace@uni.example';
type Outcome =
  | { readonly kind: 'seen'; readonly of: string; readonly lines: readonly CourseLine[] }
  | ({ readonly kind: 'started' } & z.infer<typeof startedCourseSchema>);

const isGood = (lines: readonly CourseLine[] | null): lines is readonly CourseLine[] =>
  lines !== null && lines.length > 0 && lines.every(({ problem }) => problem === null);

/** The first press looks the list over; when every line fits and nothing was changed since, the second one starts. */
function CourseForm(): ReactNode {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [seen, setSeen] = useState<Extract<Outcome, { kind: 'seen' }> | null>(null);
  const linesOf = (plan: CoursePlan): readonly CourseLine[] | null => (seen?.of === JSON.stringify(plan) ? seen.lines : null);
  const form = useForm({
    schema: planCourseSchema,
    initial: { name: '', pattern: 'econ-{user}', list: '' },
    toBody: (values) => values,
    send: async (plan): Promise<Outcome> =>
      isGood(linesOf(plan))
        ? { kind: 'started', ...(await request(startedCourseSchema, '/courses', { method: 'POST', body: plan })) }
        : { kind: 'seen', of: JSON.stringify(plan), lines: (await request(coursePreviewSchema, '/courses/preview', { method: 'POST', body: plan })).lines },
    onDone: (outcome) => {
      if (outcome.kind === 'seen') return setSeen(outcome);
      followJob(client, outcome.job);
      void navigate(`/people/courses/${outcome.courseId}`);
    },
  });
  const plan = planCourseSchema.safeParse(form.values);
  const lines = plan.success ? linesOf(plan.data) : null;
  return (
    <Segment>
      <form className="ui form" onSubmit={form.submit}>
        <div className="column">
          <TextField
            form={form}
            name="name"
            label="Name of the course"
            isFirst
            hint="For example “Experimental Economics, winter 2026”. The name of a course that exists adds people to it."
          />
          <TextField
            form={form}
            name="pattern"
            label="Names of the instances"
            isCode
            hint="{user} stands for each person’s user name: econ-{user} gives econ-ada."
          />
        </div>
        <TextField
          form={form}
          name="list"
          label="People, one in a line: name; user name; e-mail"
          rows={10}
          isCode
          hint={
            <>
              Paste it from a table or type it; commas and tabs separate, too. A missing user name is taken from the e-mail address. For example:
              <code className="example">{example}</code>
            </>
          }
        />
        {lines && <CoursePreview lines={lines} />}
        {isGood(lines) && <Consequences count={lines.length} />}
        <SubmitBar form={form} verb={isGood(lines) ? `Make accounts and instances for ${countOf(lines.length, 'person', 'people')}` : 'Look it over'} />
      </form>
    </Segment>
  );
}

function Consequences({ count }: { count: number }): ReactNode {
  const hasMail = usePanel().data?.hasMail ?? false;
  return (
    <p>
      {count === 1 ? 'This person gets' : 'Each of them gets'} an account as experimenter and an instance, and{' '}
      {hasMail ? 'an invitation by mail.' : 'an invitation link that you hand over: the page of the course makes them.'}
    </p>
  );
}
