// What an instance shows before its first push: how to push, and that it waits.

import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { Button, Segment } from 'semantic-ui-react';
import type { InstanceView } from '../../contracts/instances.ts';
import { canOnInstance } from '../../contracts/roles.ts';
import { useStartJob } from '../jobs.ts';
import { useMe } from '../panel.ts';
import { showToast } from '../toasts.ts';
import { Commands } from './Commands.tsx';
import { CopyButton } from './CopyButton.tsx';
import { DropArchive } from './DropArchive.tsx';
import { Glyph } from './Glyph.tsx';

export function PushInstruction({ instance }: { instance: InstanceView }): ReactNode {
  if (!canOnInstance(instance.standing, 'instance.push')) {
    return (
      <Segment>
        <p>{instance.owner.name} has not pushed a project yet. This page changes by itself when it comes.</p>
      </Segment>
    );
  }
  const branch = instance.git.deployBranch ?? 'main';
  return (
    <Segment as="section" className="instruction" aria-label="Push your project">
      <h2 className="ui header">Push your project</h2>
      <p>
        Open a terminal in the folder that holds <code>settings.py</code> and type these lines. The build then appears on this page and in your terminal at the
        same time.
      </p>
      <KeyHint />
      <h3>Your project is in git already</h3>
      <Commands what="commands for a project in git" lines={[`git remote add lab ${instance.git.remoteUrl}`, `git push lab ${branch}`]} />
      {instance.git.deployBranch === null && (
        <p className="quiet">
          Your branch is called master? Then <code>git push lab master</code>.
        </p>
      )}
      <h3>Your project is not in git yet</h3>
      <Commands
        what="commands for a new project"
        lines={[
          'git init',
          'git add .',
          'git commit -m "First version"',
          `git branch -M ${branch}`,
          `git remote add lab ${instance.git.remoteUrl}`,
          `git push lab ${branch}`,
        ]}
      />
      <p className="remote-line">
        <span className="quiet">Remote</span> <code>{instance.git.remoteUrl}</code> <CopyButton what="remote" text={instance.git.remoteUrl} />
      </p>
      <h3>Without a command line</h3>
      <DropArchive instance={instance} />
      <WaitingLine instance={instance} />
    </Segment>
  );
}

function KeyHint(): ReactNode {
  if (useMe().data?.sshKeys !== 0) return null;
  return (
    <p className="hint-box tone-amber" role="note">
      <Glyph name="key" />
      <span>
        No key yet? A push is signed with your SSH key. <Link to="/keys">Add a key first</Link>, it takes two minutes.
      </span>
    </p>
  );
}

function WaitingLine({ instance }: { instance: InstanceView }): ReactNode {
  const start = useStartJob(instance.name);
  const isWaiting = instance.state === 'waiting' && instance.job === null;
  const trySample = (): void => {
    if (!start.isPending) start.mutate({ kind: 'deploy-sample' }, { onError: (error) => showToast(`${error.message} ${error.hint}`, 'brick') });
  };
  return (
    <div className="waiting-line">
      <span role="status" className={isWaiting ? 'tone-amber' : 'quiet'}>
        <span className={isWaiting ? 'pulse' : 'pulse is-still'} aria-hidden="true" />
        {isWaiting ? 'Waiting for your push…' : 'The work under way is shown above.'}
      </span>
      {isWaiting && canOnInstance(instance.standing, 'instance.deploy-sample') && (
        <Button type="button" basic onClick={trySample} loading={start.isPending} disabled={start.isPending}>
          No project at hand? Try the sample experiment
        </Button>
      )}
    </div>
  );
}
