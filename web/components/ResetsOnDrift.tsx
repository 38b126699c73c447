// The switch for instances in test: deployments whose models differ empty the database without asking.

import { useId, type ReactNode } from 'react';
import type { InstanceView } from '../../contracts/instances.ts';
import { useChangeInstance } from '../instances.ts';
import { showToast } from '../toasts.ts';
import { ProblemMessage } from './ProblemMessage.tsx';

export function ResetsOnDrift({ instance }: { instance: InstanceView }): ReactNode {
  const id = useId();
  const change = useChangeInstance(instance.name);
  // Moves at once; falls back when the server refuses.
  const isOn = change.isPending ? change.variables.resetsOnDrift === true : instance.resetsOnDrift;
  const set = (resetsOnDrift: boolean): void =>
    change.mutate({ resetsOnDrift }, { onSuccess: () => showToast(resetsOnDrift ? 'On from the next deployment.' : 'Off: you are asked again.') });
  return (
    <div className="ui form">
      <div className="field">
        <label className="switch" htmlFor={id}>
          <input
            id={id}
            type="checkbox"
            role="switch"
            aria-checked={isOn}
            checked={isOn}
            disabled={change.isPending}
            aria-describedby={`${id}-hint`}
            onChange={(event) => set(event.target.checked)}
          />{' '}
          This instance is in test: reset the database when models change
        </label>
        <p className="hint" id={`${id}-hint`}>
          {isOn
            ? 'A deployment with other models takes a backup, then removes all sessions and answers without asking. Switch it off before real participants come.'
            : 'A deployment with other models is stopped before anything changes, and you choose.'}
        </p>
      </div>
      {change.error && <ProblemMessage error={change.error} />}
    </div>
  );
}
