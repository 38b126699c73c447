// Backups of an instance, and the two acts on its data: back up, reset.

import type { ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import type { BackupView, InstanceView } from '../../contracts/instances.ts';
import { canOnInstance } from '../../contracts/roles.ts';
import { instanceApi } from '../addresses.ts';
import { Ago } from '../components/Ago.tsx';
import { Answer } from '../components/Answer.tsx';
import { CopyButton } from '../components/CopyButton.tsx';
import { DataTable, type Column } from '../components/DataTable.tsx';
import { FactGroup } from '../components/Facts.tsx';
import { Glyph } from '../components/Glyph.tsx';
import { ActButton } from '../components/ActButton.tsx';
import { Sign } from '../components/Sign.tsx';
import { useTens } from '../clock.ts';
import { describeFacts } from '../consequences.ts';
import { useBackups } from '../instances.ts';
import type { Look } from '../looks.ts';
import { describeBytes, describeNumber } from '../numbers.ts';
import { useTab } from '../tab.ts';

export function InstanceData(): ReactNode {
  const { instance, ask } = useTab();
  const backups = useBackups(instance.name, instance.job !== null);
  const nowMs = useTens();
  return (
    <>
      <p>{describeFacts(instance, nowMs)}</p>
      <FactGroup title="Backups" aside={<ActButton instance={instance} kind="back-up" ask={ask} />}>
        <Answer query={backups}>
          {(list) =>
            list.length === 0 ? (
              <p className="quiet">No backup yet. One is taken by itself before every reset and every delete.</p>
            ) : (
              <BackupTable instance={instance} list={list} />
            )
          }
        </Answer>
      </FactGroup>
      {canOnInstance(instance.standing, 'instance.reset-database') && (
        <FactGroup title="Start with an empty database">
          <p>A reset removes all sessions, participants and answers of this instance. A backup is taken first and checked; without it nothing is deleted.</p>
          <ActButton instance={instance} kind="reset-database" ask={ask} />
        </FactGroup>
      )}
    </>
  );
}

function BackupTable({ instance, list }: { instance: InstanceView; list: readonly BackupView[] }): ReactNode {
  const mayDownload = canOnInstance(instance.standing, 'instance.download-backup');
  const file: Column<BackupView> = {
    title: 'File',
    isTitleHidden: true,
    render: ({ id }) => <Download path={instanceApi(instance.name, `/backups/${id}/file`)} />,
  };
  return <DataTable name="Backups" columns={mayDownload ? [...columns, file] : columns} rows={list} />;
}

const columns: readonly Column<BackupView>[] = [
  { title: 'When', render: ({ createdAt }) => <Ago at={createdAt} /> },
  { title: 'Why', render: ({ reason }) => reason },
  { title: 'Rows', render: (backup) => <span title={describeRowCounts(backup)}>{describeNumber(backup.rows)}</span> },
  { title: 'Size', render: ({ sizeBytes }) => describeBytes(sizeBytes) },
  { title: 'SHA-256', render: ({ sha256 }) => <Hash sha256={sha256} /> },
  { title: 'Check', render: ({ verifiedAt }) => <Sign look={verifiedAt === null ? notVerified : verified} /> },
];

function Hash({ sha256 }: { sha256: string }): ReactNode {
  return (
    <span className="one-line">
      <code title={sha256}>{sha256.slice(0, 12)}</code> <CopyButton what="SHA-256" text={sha256} />
    </span>
  );
}

function Download({ path }: { path: string }): ReactNode {
  return (
    <Button as="a" basic compact size="small" href={`/api/v1${path}`} download>
      <Glyph name="download" /> Download
    </Button>
  );
}

const verified: Look = { word: 'verified', icon: 'check circle', tone: 'moss' };
const notVerified: Look = { word: 'not verified', icon: 'exclamation triangle', tone: 'amber' };

const describeRowCounts = ({ rowCounts }: BackupView): string =>
  Object.entries(rowCounts)
    .map(([table, rows]) => `${table}: ${describeNumber(rows)}`)
    .join('\n');
