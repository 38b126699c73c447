// The reader's SSH keys: list, add, replace, remove, and how to make one.

import { useState, type ReactNode } from 'react';
import { Button, Segment } from 'semantic-ui-react';
import type { SshKeyView } from '../../contracts/people.ts';
import { Ago } from '../components/Ago.tsx';
import { Answer } from '../components/Answer.tsx';
import { DataTable, type Column } from '../components/DataTable.tsx';
import { FactGroup } from '../components/Facts.tsx';
import { ChangeKey, type KeyChange } from '../components/ChangeKey.tsx';
import { KeyFields, useKeyForm } from '../components/KeyForm.tsx';
import { KeyHelp } from '../components/KeyHelp.tsx';
import { SubmitBar } from '../components/SubmitBar.tsx';
import { useRefreshKeys, useSshKeys } from '../people.ts';
import { useTitle } from '../title.ts';
import { showToast } from '../toasts.ts';

export function Keys(): ReactNode {
  useTitle('SSH keys');
  const keys = useSshKeys();
  return (
    <>
      <h1>SSH keys</h1>
      <p className="lead">A push is signed with your key, so that the panel knows it is you. No password travels.</p>
      <Answer query={keys}>{(list) => (list.length === 0 ? <p>You have no key yet.</p> : <KeyTable list={list} />)}</Answer>
      <div className="two-columns">
        <AddKey />
        <KeyHelp />
      </div>
    </>
  );
}

function AddKey(): ReactNode {
  const refresh = useRefreshKeys();
  const form = useKeyForm((clear) => {
    clear();
    showToast('The key is in place. You can push with it now.');
    void refresh();
  });
  return (
    <FactGroup title="Add a key">
      <form className="ui form" onSubmit={form.submit}>
        <KeyFields form={form} />
        <SubmitBar form={form} verb="Add key" />
      </form>
    </FactGroup>
  );
}

function KeyTable({ list }: { list: readonly SshKeyView[] }): ReactNode {
  const [change, setChange] = useState<KeyChange | null>(null);
  const buttons: Column<SshKeyView> = { title: 'Change', isTitleHidden: true, render: (key) => <KeyButtons sshKey={key} onChange={setChange} /> };
  return (
    <Segment>
      <DataTable name="Your SSH keys" columns={[...columns, buttons]} rows={list} />
      {change && <ChangeKey change={change} onClose={() => setChange(null)} />}
    </Segment>
  );
}

const columns: readonly Column<SshKeyView>[] = [
  { title: 'Name', render: ({ name }) => name },
  { title: 'Kind', render: ({ type }) => <span className="one-line">{type}</span> },
  { title: 'Fingerprint', render: ({ fingerprint }) => <code className="breaks">{fingerprint}</code> },
  { title: 'Added', render: ({ createdAt }) => <Ago at={createdAt} /> },
  { title: 'Last used', render: ({ lastUsedAt }) => (lastUsedAt === null ? 'never' : <Ago at={lastUsedAt} />) },
];

function KeyButtons({ sshKey, onChange }: { sshKey: SshKeyView; onChange: (change: KeyChange) => void }): ReactNode {
  return (
    <span className="one-line">
      <Button type="button" basic compact size="small" aria-label={`Replace ${sshKey.name}`} onClick={() => onChange({ kind: 'replace', key: sshKey })}>
        Replace…
      </Button>
      <Button type="button" basic compact negative size="small" aria-label={`Remove ${sshKey.name}`} onClick={() => onChange({ kind: 'remove', key: sshKey })}>
        Remove…
      </Button>
    </span>
  );
}
