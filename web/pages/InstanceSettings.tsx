// Settings of an instance: the deploy branch, the admin password, and last what stops or removes it.

import type { ReactNode } from 'react';
import { changeInstanceSchema, type InstanceView } from '../../contracts/instances.ts';
import { canOnInstance } from '../../contracts/roles.ts';
import { ActButton } from '../components/ActButton.tsx';
import { AddressSettings } from '../components/AddressSettings.tsx';
import { EnvironmentSettings } from '../components/EnvironmentSettings.tsx';
import { FactGroup } from '../components/Facts.tsx';
import { MoveInstance, StaysHere } from '../components/MoveInstance.tsx';
import { ResetsOnDrift } from '../components/ResetsOnDrift.tsx';
import { ScaleForm } from '../components/ScaleForm.tsx';
import { SubmitBar } from '../components/SubmitBar.tsx';
import { TextField } from '../components/TextField.tsx';
import { useForm } from '../form.ts';
import { useChangeInstance } from '../instances.ts';
import { useTab } from '../tab.ts';
import { showToast } from '../toasts.ts';

export function InstanceSettings(): ReactNode {
  const { instance, ask } = useTab();
  if (!canOnInstance(instance.standing, 'instance.change')) return <p>Only {instance.owner.name} and lab managers change settings here.</p>;
  return (
    <div className="two-columns">
      <div>
        <AddressSettings instance={instance} />
        <EnvironmentSettings instance={instance} />
      </div>
      <div>
        <FactGroup title="Deploy branch">
          <BranchForm instance={instance} />
        </FactGroup>
        <FactGroup title="When models change">
          <ResetsOnDrift instance={instance} />
        </FactGroup>
        <FactGroup title="Admin password">
          <p>The password of oTree’s admin page. Setting it needs no reset: data and room links stay as they are.</p>
          <ActButton instance={instance} kind="set-admin-password" ask={ask} />
        </FactGroup>
        {canOnInstance(instance.standing, 'instance.scale') && (
          <FactGroup title="Scale">
            <ScaleForm key={JSON.stringify([instance.intent, instance.limits])} instance={instance} />
          </FactGroup>
        )}
        {instance.platform.canMoveTo !== null && canOnInstance(instance.standing, 'instance.move') && (
          <FactGroup title="Platform">
            <MoveInstance instance={instance} to={instance.platform.canMoveTo} />
          </FactGroup>
        )}
        {instance.platform.hasOwnDatabaseServer && canOnInstance(instance.standing, 'instance.move') && (
          <FactGroup title="Platform">
            <StaysHere />
          </FactGroup>
        )}
        <FactGroup title="Run">
          <p>
            <ActButton instance={instance} kind="start" ask={ask} />
          </p>
          <p>
            <ActButton instance={instance} kind="restart" ask={ask} />
          </p>
        </FactGroup>
        <FactGroup title="Danger">
          <p>
            <ActButton instance={instance} kind="stop" ask={ask} />
          </p>
          <p>
            <ActButton instance={instance} kind="reset-database" ask={ask} />
          </p>
          {canOnInstance(instance.standing, 'instance.delete') ? (
            <ActButton instance={instance} kind="delete" ask={ask} />
          ) : (
            <p className="quiet">Only a lab manager deletes an instance.</p>
          )}
        </FactGroup>
      </div>
    </div>
  );
}

function BranchForm({ instance }: { instance: InstanceView }): ReactNode {
  const change = useChangeInstance(instance.name);
  const form = useForm({
    schema: changeInstanceSchema,
    initial: { deployBranch: instance.git.deployBranch ?? '' },
    toBody: ({ deployBranch }) => ({ deployBranch: deployBranch.trim() === '' ? null : deployBranch }),
    send: (body) => change.mutateAsync(body),
    onDone: () => showToast('Saved. It holds from the next push on.'),
  });
  return (
    <form className="ui form" onSubmit={form.submit}>
      <TextField
        form={form}
        name="deployBranch"
        label="Branch that is deployed"
        term="deploy-branch"
        isCode
        hint="Empty: main or master. Pushes to other branches are refused with the command that would work."
      />
      <SubmitBar form={form} verb="Save" isReady={form.values.deployBranch.trim() !== (instance.git.deployBranch ?? '')} />
    </form>
  );
}
