// The files of the folder of certificates: what each holds, or why it cannot be used.

import type { ReactNode } from 'react';
import type { CertificateFileView } from '../../contracts/certificates.ts';
import { describeDate } from '../times.ts';
import type { Look } from '../looks.ts';
import { DataTable, type Column } from './DataTable.tsx';
import { Sign } from './Sign.tsx';

const usable: Look = { word: 'usable', icon: 'check circle', tone: 'moss' };
const doubtful: Look = { word: 'usable, but', icon: 'exclamation triangle', tone: 'amber' };
const unusable: Look = { word: 'not usable', icon: 'times circle', tone: 'brick' };

export function CertificateFiles({ files }: { files: readonly CertificateFileView[] }): ReactNode {
  if (files.length === 0) return null;
  return (
    <>
      <h3>Files in the folder</h3>
      <DataTable name="Files in the folder" columns={columns} rows={files.map((file) => ({ ...file, id: file.file }))} />
    </>
  );
}

const columns: readonly Column<CertificateFileView>[] = [
  {
    title: 'File',
    render: ({ file }) => <code className="breaks">{file}</code>,
  },
  { title: 'How it is', render: (file) => <State file={file} /> },
  {
    title: 'Holds',
    render: ({ names }) => (names.length === 0 ? <span className="quiet">not known</span> : <span className="breaks">{names.join(', ')}</span>),
  },
  {
    title: 'Until',
    render: ({ expiresAt }) => (expiresAt === null ? <span className="quiet">not known</span> : <span className="one-line">{describeDate(expiresAt)}</span>),
  },
];

function State({ file: { problem, warning } }: { file: CertificateFileView }): ReactNode {
  const said = problem ?? warning;
  return (
    <div>
      <Sign look={problem !== null ? unusable : warning !== null ? doubtful : usable} />
      {said !== null && <p className="note">{said}</p>}
    </div>
  );
}
