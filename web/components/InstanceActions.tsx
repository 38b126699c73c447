// The actions of an instance: the menu, and the dialog or the start that follows a choice.

import { useState, type ReactNode } from 'react';
import type { InstanceView } from '../../contracts/instances.ts';
import type { JobView } from '../../contracts/jobs.ts';
import type { ActionKind } from '../instance-actions.ts';
import { listActions } from '../instance-actions.ts';
import { useStartJob } from '../jobs.ts';
import { showToast } from '../toasts.ts';
import { ConfirmAction } from './ConfirmAction.tsx';
import { Glyph } from './Glyph.tsx';
import { MenuButton } from './MenuButton.tsx';
import { SetPassword } from './SetPassword.tsx';

type Asking = { ask: (kind: ActionKind) => void; dialog: ReactNode; isPending: boolean };

/** Asks what has to be asked, then starts the job; `dialog` has to stand somewhere on the page. */
export function useAsk(instance: InstanceView, onStarted: (job: JobView) => void): Asking {
  const [asked, setAsked] = useState<ActionKind | null>(null);
  const start = useStartJob(instance.name);
  const close = (): void => setAsked(null);
  const started = (job: JobView): void => {
    close();
    onStarted(job);
  };
  const ask = (kind: ActionKind): void => {
    if (kind !== 'start' && kind !== 'back-up') return setAsked(kind);
    if (start.isPending) return;
    start.mutate({ kind }, { onSuccess: started, onError: (error) => showToast(`${error.message} ${error.hint}`, 'brick') });
  };
  const dialog =
    asked === null || asked === 'start' || asked === 'back-up' ? null : asked === 'set-admin-password' ? (
      <SetPassword instance={instance} onClose={close} onStarted={started} />
    ) : (
      <ConfirmAction kind={asked} instance={instance} onClose={close} onStarted={started} />
    );
  return { ask, dialog, isPending: start.isPending };
}

export function ActionsMenu({ instance, ask }: { instance: InstanceView; ask: (kind: ActionKind) => void }): ReactNode {
  const actions = listActions(instance);
  if (actions.length === 0) return null;
  return (
    <MenuButton
      name="Actions"
      label={
        <>
          Actions <Glyph name="caret down" />
        </>
      }
      entries={actions.map(({ kind, label, icon, isDangerous, whyNot }) => ({ key: kind, label, icon, isDangerous, whyNot, onChoose: () => ask(kind) }))}
    />
  );
}
