// What people did on this instance: who, what, when, and what came of it.

import { useState, type ReactNode } from 'react';
import { Link } from 'react-router';
import type { ActivityView } from '../../contracts/activity.ts';
import type { InstanceView } from '../../contracts/instances.ts';
import { useActivity } from '../instance-activity.ts';
import { jobLooks } from '../looks.ts';
import { Ago } from './Ago.tsx';
import { Answer } from './Answer.tsx';
import { FactGroup } from './Facts.tsx';
import { Pager } from './Pager.tsx';
import { Sentence } from './Sentence.tsx';
import { Sign } from './Sign.tsx';

export function Activity({ instance }: { instance: InstanceView }): ReactNode {
  const [page, setPage] = useState(1);
  const activity = useActivity(instance.name, page, instance.job !== null);
  return (
    <FactGroup title="Activity">
      <Answer query={activity}>
        {(list) =>
          list.activity.length === 0 ? (
            <p className="quiet">Nobody has done anything here yet.</p>
          ) : (
            <>
              <ul className="plain-list">
                {list.activity.map((act) => (
                  <li key={act.id}>
                    <Act act={act} />
                  </li>
                ))}
              </ul>
              <Pager page={list.page} pages={list.pages} name="Pages of activity" onPage={setPage} />
            </>
          )
        }
      </Answer>
    </FactGroup>
  );
}

function Act({ act: { actorName, text, at, reason, job } }: { act: ActivityView }): ReactNode {
  return (
    <>
      <strong>{actorName}</strong> {text}{' '}
      <span className="quiet">
        <Ago at={at} />
      </span>{' '}
      {job && (
        <Link to={`/jobs/${job.id}`}>
          <Sign look={jobLooks[job.state]} />
        </Link>
      )}
      {reason !== null && <span className="block quiet">Reason: {reason}</span>}
      {job?.sentence && (
        <span className="block tone-brick">
          <Sentence text={job.sentence} />
        </span>
      )}
    </>
  );
}
