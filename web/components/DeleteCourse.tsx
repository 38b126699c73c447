// The question before a course is deleted: what goes, what stays, its name typed.

import { useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { deleteCourseSchema, type CourseView } from '../../contracts/courses.ts';
import { jobSchema } from '../../contracts/jobs.ts';
import { request } from '../api.ts';
import { describePeople } from '../consequences.ts';
import { useForm } from '../form.ts';
import { followJob } from '../jobs.ts';
import { countOf } from '../numbers.ts';
import { Dialog } from './Dialog.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { DialogActions } from './SubmitBar.tsx';
import { TextField } from './TextField.tsx';

const listedAtOnce = 8;

export function DeleteCourse({ course, onClose }: { course: CourseView; onClose: () => void }): ReactNode {
  const client = useQueryClient();
  const form = useForm({
    schema: deleteCourseSchema,
    initial: { confirm: '', reason: '' },
    send: (body) => request(jobSchema, `/courses/${course.id}/deletion`, { method: 'POST', body }),
    onDone: (job) => {
      followJob(client, job);
      void client.invalidateQueries({ queryKey: ['course', course.id] });
      onClose();
    },
  });
  const playing = course.members.reduce((sum, { participantsInSession }) => sum + participantsInSession, 0);
  const needsReason = playing > 0 || form.problem?.code === 'people_in_session';
  const isReady = form.values.confirm.trim() === course.name && (!needsReason || form.values.reason.trim() !== '');
  const staying = course.members.filter(({ otherInstances }) => otherInstances.length > 0);
  const going = course.members.filter(({ otherInstances }) => otherInstances.length === 0);
  return (
    <Dialog title={`Delete the course ${course.name}?`} isDangerous onClose={onClose}>
      <form className="ui form" onSubmit={form.submit}>
        <div className="content">
          <p className={playing > 0 ? 'facts-now tone-amber' : 'facts-now'}>
            {countOf(course.instances, 'instance')} and {countOf(going.length, 'account')} go. {describePeople(playing)}.
          </p>
          <details open={going.length <= listedAtOnce}>
            <summary>What goes</summary>
            <ul>
              {going.map(({ id, name, userName, instances }) => (
                <li key={id}>
                  {name} ({userName}){instances.length > 0 && `, ${instances.map((one) => one.name).join(', ')}`}
                </li>
              ))}
            </ul>
          </details>
          <p>Each instance with data is backed up and checked first; without a backup it stays. The backups are kept for 30 days.</p>
          {staying.length > 0 && <p>These accounts stay, because they own other instances: {staying.map(({ name }) => name).join(', ')}.</p>}
          {needsReason && <TextField form={form} name="reason" label="Why now?" hint="People are in a session. The reason is recorded." />}
          <TextField form={form} name="confirm" isCode label={`Type ${course.name} to confirm`} />
          {form.problem && <ProblemMessage error={form.problem} />}
        </div>
        <DialogActions form={form} verb="Delete course" isDangerous isReady={isReady} isCancelFirst onCancel={onClose} />
      </form>
    </Dialog>
  );
}
