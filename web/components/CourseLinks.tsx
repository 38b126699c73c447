// Fresh invitation links for a whole course: shown once, copied or saved as a table.

import type { ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import type { CourseView } from '../../contracts/courses.ts';
import { linksAsCsv, useCourseLinks } from '../courses.ts';
import { saveText } from '../save-text.ts';
import { CopyButton } from './CopyButton.tsx';
import { FactGroup } from './Facts.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';

export function CourseLinks({ course, isBusy }: { course: CourseView; isBusy: boolean }): ReactNode {
  const links = useCourseLinks(course.id);
  const waiting = course.members.filter(({ isInvited, isDisabled }) => isInvited && !isDisabled);
  const nameOf = (personId: string): string => course.members.find(({ id }) => id === personId)?.name ?? '';
  if (waiting.length === 0 && links.data === undefined) return null;
  return (
    <FactGroup title="Links to hand over">
      {links.data === undefined ? (
        <p>
          {waiting.length === 1 ? 'One person has' : `${waiting.length} people have`} not chosen a password yet. New links, good for 7 days, replace those that
          were made or mailed before.
        </p>
      ) : (
        <>
          <p>They are shown only here: copy or save them now. Whoever has a link gets the account.</p>
          <ul className="plain-list">
            {links.data.map(({ personId, url }) => (
              <li key={personId}>
                {nameOf(personId)}
                <span className="handed-link">
                  <code>{url}</code>
                  <CopyButton text={url} what={`link for ${nameOf(personId)}`} />
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
      {links.error && <ProblemMessage error={links.error} />}
      {links.data === undefined ? (
        <Button type="button" basic loading={links.isPending} disabled={links.isPending || isBusy} onClick={() => links.mutate()}>
          Make new links for all of them
        </Button>
      ) : (
        <Button type="button" primary onClick={() => saveText(`${course.name} links.csv`, 'text/csv', linksAsCsv(course, links.data ?? []))}>
          Save as a table (CSV)
        </Button>
      )}
    </FactGroup>
  );
}
