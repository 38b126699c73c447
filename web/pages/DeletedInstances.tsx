// Instances that were deleted of late, for managers: what can still be fetched, and until when.

import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { Segment } from 'semantic-ui-react';
import type { DeletedInstanceView } from '../../contracts/backups.ts';
import { useDeletedInstances } from '../backups.ts';
import { Ago } from '../components/Ago.tsx';
import { Answer, Empty } from '../components/Answer.tsx';
import { DataTable, type Column } from '../components/DataTable.tsx';
import { DownloadButton } from '../components/DownloadButton.tsx';
import { countOf, describeBytes } from '../numbers.ts';
import { useMay } from '../panel.ts';
import { useTitle } from '../title.ts';

export function DeletedInstances(): ReactNode {
  useTitle('Deleted instances');
  const may = useMay('instances.list-deleted');
  const deleted = useDeletedInstances(may);
  return (
    <>
      <p>
        <Link to="/system">‹ System</Link>
      </p>
      <h1>Deleted instances</h1>
      {may ? <Answer query={deleted}>{(list) => (list.length === 0 ? <Nothing /> : <Rows list={list} />)}</Answer> : <p>Only lab managers see this page.</p>}
    </>
  );
}

function Nothing(): ReactNode {
  return (
    <Empty title="No instance was deleted of late">
      <p>When one is deleted, its last backup can be fetched here for some weeks.</p>
    </Empty>
  );
}

function Rows({ list }: { list: readonly DeletedInstanceView[] }): ReactNode {
  return (
    <>
      <p>To use the data again, download the backup and restore it with pg_restore into a PostgreSQL of your own.</p>
      <Segment>
        <DataTable name="Deleted instances" columns={columns} rows={list} />
      </Segment>
    </>
  );
}

const columns: readonly Column<DeletedInstanceView>[] = [
  { title: 'Name', render: ({ name }) => <strong>{name}</strong> },
  { title: 'Owner', render: ({ ownerName }) => ownerName },
  { title: 'Deleted', render: ({ deletedAt }) => <Ago at={deletedAt} /> },
  {
    title: 'Last backup',
    render: ({ backup }) =>
      backup === null ? <span className="quiet">none: it never had data</span> : `${countOf(backup.rows, 'row')}, ${describeBytes(backup.sizeBytes)}`,
  },
  { title: 'Kept until', render: ({ keptUntil }) => new Date(keptUntil).toLocaleDateString(undefined, { dateStyle: 'medium' }) },
  {
    title: 'File',
    isTitleHidden: true,
    render: ({ id, name, backup }) => backup && <DownloadButton path={`/deleted-instances/${id}/backup`} name={`Download the last backup of ${name}`} />,
  },
];
