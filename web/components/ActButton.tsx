// One action of an instance as a button, with the reason beside it when it has to wait.

import { useId, type ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import type { InstanceView } from '../../contracts/instances.ts';
import { listActions, type ActionKind } from '../instance-actions.ts';
import { Glyph } from './Glyph.tsx';

type Props = { instance: InstanceView; kind: ActionKind; ask: (kind: ActionKind) => void };

export function ActButton({ instance, kind, ask }: Props): ReactNode {
  const id = useId();
  const action = listActions(instance).find((item) => item.kind === kind);
  if (!action) return null;
  return (
    <span className="act">
      <Button type="button" basic negative={action.isDangerous} disabled={action.whyNot !== null} aria-describedby={id} onClick={() => ask(kind)}>
        <Glyph name={action.icon} /> {action.label}
      </Button>
      <small id={id} className="quiet">
        {action.whyNot}
      </small>
    </span>
  );
}
