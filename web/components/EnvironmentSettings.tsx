// Everything about an experiment's environment, and the way to apply what it does not have yet.

import { useState, type ReactNode } from 'react';
import { Button, Message } from 'semantic-ui-react';
import type { InstanceView } from '../../contracts/instances.ts';
import { useEnvironment } from '../environment.ts';
import { Ago } from './Ago.tsx';
import { Answer } from './Answer.tsx';
import { ConfirmAction } from './ConfirmAction.tsx';
import { FactGroup } from './Facts.tsx';
import { SafetyForm } from './SafetyForm.tsx';
import { Variables } from './Variables.tsx';

export function EnvironmentSettings({ instance }: { instance: InstanceView }): ReactNode {
  const environment = useEnvironment(instance.name, instance.job !== null);
  return (
    <Answer query={environment}>
      {(view) => (
        <>
          {view.pendingSince !== null && <Pending instance={instance} since={view.pendingSince} />}
          <FactGroup title="Visitors and errors">
            <SafetyForm key={`${view.authLevel} ${String(view.isProduction)}`} instanceName={instance.name} environment={view} />
          </FactGroup>
          <FactGroup title="Environment variables">
            <Variables instanceName={instance.name} environment={view} />
          </FactGroup>
        </>
      )}
    </Answer>
  );
}

function Pending({ instance, since }: { instance: InstanceView; since: string }): ReactNode {
  const [isAsked, setAsked] = useState(false);
  const close = (): void => setAsked(false);
  return (
    <Message warning role="status">
      <Message.Header>Changed since the start</Message.Header>
      <p>
        Something was changed <Ago at={since} />. The running experiment has it after a restart, or at its next start.
      </p>
      <Button type="button" primary disabled={instance.job !== null} onClick={() => setAsked(true)}>
        Restart to apply…
      </Button>
      {isAsked && <ConfirmAction kind="set-environment" instance={instance} onClose={close} onStarted={close} />}
    </Message>
  );
}
