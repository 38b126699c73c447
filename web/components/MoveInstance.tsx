// Where an instance runs, and the way to the other platform of this machine, for managers.

import { useState, type ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import type { InstanceView } from '../../contracts/instances.ts';
import { movePlatforms, moveWords, type MovePlatform } from '../../contracts/moving.ts';
import { useTens } from '../clock.ts';
import { describeMove } from '../consequences.ts';
import { showToast } from '../toasts.ts';
import { ConfirmJob } from './ConfirmAction.tsx';
import { Glyph } from './Glyph.tsx';

/** Why there is no way: its data could not come along. */
export function StaysHere(): ReactNode {
  return (
    <>
      <p>It runs in a container, with its data on a database server of its own.</p>
      <span className="act">
        <Button type="button" basic disabled>
          <Glyph name="dolly" /> Run it {moveWords.local}…
        </Button>
        <small className="quiet">
          No other platform can use that server. For the next study make a new instance there and push the project to it; the data of this one stay here.
        </small>
      </span>
    </>
  );
}

/** @param to what the panel says can take it now */
export function MoveInstance({ instance, to }: { instance: InstanceView; to: MovePlatform }): ReactNode {
  const [isAsking, setAsking] = useState(false);
  const now = useTens();
  const present = movePlatforms.find((kind) => kind === instance.platform.kind);
  const close = (): void => setAsking(false);
  return (
    <>
      {present && <p>It runs {moveWords[present]}.</p>}
      <span className="act">
        <Button type="button" basic disabled={instance.job !== null} onClick={() => setAsking(true)}>
          <Glyph name="dolly" /> Run it {moveWords[to]}…
        </Button>
        {instance.job !== null && <small className="quiet">“{instance.job.title}” is under way.</small>}
      </span>
      {isAsking && (
        <ConfirmJob
          about={describeMove(instance, to, now)}
          instance={instance}
          request={{ kind: 'move', to }}
          onClose={close}
          onStarted={() => {
            close();
            showToast('Under way: it is built there first, beside the running one.');
          }}
        />
      )}
    </>
  );
}
