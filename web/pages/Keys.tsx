// The reader's SSH keys: list, add, replace, remove, and how to make one.

import { useState, type ReactNode } from 'react';
import { Button, Segment } from 'semantic-ui-react';
import type { SshKeyView } from '../../contracts/people.ts';
import { Ago } from '../components/Ago.tsx';
import { Answer } from '../components/Answer.tsx';
import { DataTable } from '../components/DataTable.tsx';
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
        <Segment className="fact-group">
          <KeyHelp />
        </Segment>
      </div>
    </>
  );
}

function AddKey(): ReactNode {
  const refresh = useRefreshKeys();
  const form = useKeyForm(() => {
    form.clear();
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
  const rows = list.map((key) => ({
    key: key.id,
    cells: [
      key.name,
      key.type,
      <code className="breaks">{key.fingerprint}</code>,
      <Ago at={key.createdAt} />,
      key.lastUsedAt === null ? 'never' : <Ago at={key.lastUsedAt} />,
      <span className="one-line">
        <Button type="button" basic compact size="small" aria-label={`Replace ${key.name}`} onClick={() => setChange({ kind: 'replace', key })}>
          Replace…
        </Button>
        <Button type="button" basic compact negative size="small" aria-label={`Remove ${key.name}`} onClick={() => setChange({ kind: 'remove', key })}>
          Remove…
        </Button>
      </span>,
    ],
  }));
  return (
    <Segment>
      <DataTable name="Your SSH keys" columns={['Name', 'Kind', 'Fingerprint', 'Added', 'Last used', '(Change)']} rows={rows} />
      {change && <ChangeKey change={change} onClose={() => setChange(null)} />}
    </Segment>
  );
}
