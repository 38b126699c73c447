// The second step of the first start: where experiments shall run. Afterwards the same can be done on the System page.

import type { ReactNode } from 'react';
import { Link, Navigate, useNavigate } from 'react-router';
import { Answer } from '../components/Answer.tsx';
import { Doorway } from '../components/Doorway.tsx';
import { PlatformChoice, PlatformGiven } from '../components/PlatformChoice.tsx';
import { useMay, useMe } from '../panel.ts';
import { usePlatformChoice } from '../platform-choice.ts';
import { useTitle } from '../title.ts';

export function FirstRunPlatform(): ReactNode {
  useTitle('Where experiments run');
  const me = useMe();
  const may = useMay('platform.choose');
  if (me.data === null || (me.data && !may)) return <Navigate replace to="/" />;
  return (
    <Doorway title="Where shall experiments run?" isWide>
      <p className="quiet">Step 2 of 2. The panel has looked at this machine.</p>
      {may && <Step />}
    </Doorway>
  );
}

function Step(): ReactNode {
  const query = usePlatformChoice();
  const navigate = useNavigate();
  const goOn = (): void => void navigate('/');
  return (
    <>
      <Answer query={query}>
        {(choice) =>
          choice.whyFixed === null ? (
            <PlatformChoice choice={choice} first={choice.proposed} isLooking={query.isFetching} onLookAgain={() => void query.refetch()} onDone={goOn} />
          ) : (
            <PlatformGiven choice={choice} />
          )
        }
      </Answer>
      {query.data?.whyFixed ? (
        <Link className="ui primary large button" to="/">
          Go on
        </Link>
      ) : (
        <p className="after-form">
          <Link to="/">Decide later</Link> <span className="quiet">on the System page. Until then experiments run on this machine, without containers.</span>
        </p>
      )}
    </>
  );
}
