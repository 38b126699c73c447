// Data of an instance: exports; backups taken, fetched, restored, deleted; and starting with an empty database.

import { useState, type ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import type { BackupView } from '../../contracts/backups.ts';
import type { InstanceView } from '../../contracts/instances.ts';
import { canOnInstance, type InstanceAction } from '../../contracts/roles.ts';
import { instanceApi } from '../addresses.ts';
import { Ago } from '../components/Ago.tsx';
import { Answer } from '../components/Answer.tsx';
import { CopyButton } from '../components/CopyButton.tsx';
import { DataTable, type Column } from '../components/DataTable.tsx';
import { FactGroup } from '../components/Facts.tsx';
import { Glyph } from '../components/Glyph.tsx';
import { ActButton } from '../components/ActButton.tsx';
import { Bots } from '../components/Bots.tsx';
import { BackUp } from '../components/BackUp.tsx';
import { ConfirmJob } from '../components/ConfirmAction.tsx';
import { DeleteBackup } from '../components/DeleteBackup.tsx';
import { DownloadButton } from '../components/DownloadButton.tsx';
import { Sign } from '../components/Sign.tsx';
import { TakeHome } from '../components/TakeHome.tsx';
import { useTens } from '../clock.ts';
import { useBackups } from '../backups.ts';
import { describeFacts, describeRestore } from '../consequences.ts';
import { isDeployed } from '../instance-actions.ts';
import type { Look } from '../looks.ts';
import { countOf, describeBytes, describeNumber } from '../numbers.ts';
import { useTab } from '../tab.ts';
import { describeExactly } from '../times.ts';

export function InstanceData(): ReactNode {
  const { instance, ask } = useTab();
  const nowMs = useTens();
  return (
    <>
      <p>{isDeployed(instance) ? describeFacts(instance, nowMs) : 'Nothing has run here yet, so there are no data.'}</p>
      {isDeployed(instance) && <TakeHome instance={instance} />}
      <FactGroup title="Backups" aside={<BackUp instance={instance} />}>
        {canOnInstance(instance.standing, 'instance.download-backup') ? (
          <Backups instance={instance} />
        ) : (
          <p className="quiet">Only {instance.owner.name} and lab managers see the backups.</p>
        )}
      </FactGroup>
      {isDeployed(instance) && <Bots instance={instance} />}
      {canOnInstance(instance.standing, 'instance.reset-database') && (
        <FactGroup title="Start with an empty database">
          <p>A reset removes all sessions, participants and answers of this instance. A backup is taken first and checked; without it nothing is deleted.</p>
          <ActButton instance={instance} kind="reset-database" ask={ask} />
        </FactGroup>
      )}
    </>
  );
}

function Backups({ instance }: { instance: InstanceView }): ReactNode {
  const backups = useBackups(instance.name, instance.job !== null);
  return (
    <Answer query={backups}>
      {(list) =>
        list.length === 0 ? (
          <p className="quiet">No backup yet. One is taken by itself before every reset, restore and delete.</p>
        ) : (
          <BackupTable instance={instance} list={list} />
        )
      }
    </Answer>
  );
}

type Choice = { readonly act: 'restore' | 'delete'; readonly backup: BackupView };

function BackupTable({ instance, list }: { instance: InstanceView; list: readonly BackupView[] }): ReactNode {
  const [choice, setChoice] = useState<Choice | null>(null);
  const nowMs = useTens();
  const close = (): void => setChoice(null);
  const acts: Column<BackupView> = {
    title: 'Actions',
    isTitleHidden: true,
    render: (backup) => <BackupActs instance={instance} backup={backup} onChoose={(act) => setChoice({ act, backup })} />,
  };
  return (
    <>
      <DataTable name="Backups" columns={[...columns, acts]} rows={list} />
      {choice?.act === 'restore' && (
        <ConfirmJob
          about={describeRestore(instance, choice.backup, nowMs)}
          instance={instance}
          request={{ kind: 'restore', backupId: choice.backup.id }}
          onClose={close}
          onStarted={close}
        />
      )}
      {choice?.act === 'delete' && <DeleteBackup instanceName={instance.name} backup={choice.backup} onClose={close} />}
    </>
  );
}

type ActsProps = { instance: InstanceView; backup: BackupView; onChoose: (act: Choice['act']) => void };

function BackupActs({ instance, backup, onChoose }: ActsProps): ReactNode {
  const may = (action: InstanceAction): boolean => canOnInstance(instance.standing, action);
  const when = describeExactly(backup.createdAt);
  return (
    <span className="row-acts">
      {may('instance.download-backup') && (
        <DownloadButton path={instanceApi(instance.name, `/backups/${backup.id}/file`)} name={`Download the backup of ${when}`} />
      )}
      {may('instance.restore') && (
        <Button
          type="button"
          basic
          compact
          size="small"
          disabled={instance.job !== null || !isDeployed(instance)}
          title={instance.job === null ? undefined : 'Another job is under way.'}
          aria-label={`Restore the backup of ${when}`}
          onClick={() => onChoose('restore')}
        >
          <Glyph name="history" /> Restore…
        </Button>
      )}
      {may('instance.delete-backup') && (
        <Button type="button" basic compact icon size="small" aria-label={`Delete the backup of ${when}`} title="Delete…" onClick={() => onChoose('delete')}>
          <Glyph name="trash alternate outline" />
        </Button>
      )}
    </span>
  );
}

const columns: readonly Column<BackupView>[] = [
  { title: 'When', render: ({ createdAt }) => <Ago at={createdAt} /> },
  { title: 'Why', render: (backup) => <Why backup={backup} /> },
  { title: 'Data', render: (backup) => <Content backup={backup} /> },
  { title: 'Version', render: ({ commit }) => (commit === null ? <span className="quiet">not known</span> : <code title={commit}>{commit.slice(0, 7)}</code>) },
  { title: 'Check', render: (backup) => <Check backup={backup} /> },
];

function Why({ backup }: { backup: BackupView }): ReactNode {
  return (
    <span>
      {backup.note === '' ? backup.reason : backup.note}
      <small className="block quiet">
        {backup.note === '' ? '' : `${backup.reason}, `}
        {backup.createdByName}
      </small>
    </span>
  );
}

function Content({ backup }: { backup: BackupView }): ReactNode {
  const { rows, sessions, sizeBytes } = backup;
  return (
    <span title={describeRowCounts(backup)}>
      {sessions === null ? '' : `${countOf(sessions, 'session')}, `}
      {countOf(rows, 'row')}
      <small className="block quiet">{describeBytes(sizeBytes)}</small>
    </span>
  );
}

function Check({ backup }: { backup: BackupView }): ReactNode {
  return (
    <span>
      <Sign look={backup.verifiedAt === null ? notVerified : verified} />
      <small className="block quiet">
        SHA-256 <Hash sha256={backup.sha256} />
      </small>
    </span>
  );
}

function Hash({ sha256 }: { sha256: string }): ReactNode {
  return (
    <span className="one-line">
      <code title={sha256}>{sha256.slice(0, 12)}</code> <CopyButton what="SHA-256" text={sha256} />
    </span>
  );
}

const verified: Look = { word: 'verified', icon: 'check circle', tone: 'moss' };
const notVerified: Look = { word: 'not verified', icon: 'exclamation triangle', tone: 'amber' };

const describeRowCounts = ({ rowCounts }: BackupView): string =>
  Object.entries(rowCounts)
    .map(([table, rows]) => `${table}: ${describeNumber(rows)}`)
    .join('\n');
