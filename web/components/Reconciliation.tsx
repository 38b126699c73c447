// Prolific's export held against the session: chosen, sent, and shown person by person; nothing of it is kept.

import { useId, useRef, useState, type ChangeEvent, type ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import type { InstanceView } from '../../contracts/instances.ts';
import { reconciliationSchema, type ReconciliationView } from '../../contracts/reconciliation.ts';
import { ApiError, sendFile } from '../api.ts';
import { roomApi } from '../rooms.ts';
import { Loading } from './Answer.tsx';
import { FactGroup } from './Facts.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { ReconciledPeople } from './ReconciledPeople.tsx';

type Props = { instance: InstanceView; room: string; sessionCode: string | null };
type Held = { readonly isSending: boolean; readonly problem: Error | null; readonly view: ReconciliationView | null };
const nothing: Held = { isSending: false, problem: null, view: null };

export function Reconciliation({ instance, room, sessionCode }: Props): ReactNode {
  const id = useId();
  const picker = useRef<HTMLInputElement>(null);
  const [held, setHeld] = useState<Held>(nothing);
  const [file, setFile] = useState<File | null>(null);
  const [session, setSession] = useState('');
  const [withFee, setWithFee] = useState(false);
  const compare = (chosen: File, fee: boolean): void => {
    setFile(chosen);
    setHeld({ ...nothing, isSending: true });
    const query = new URLSearchParams({ filename: chosen.name, withFee: String(fee), ...(session.trim() === '' ? {} : { session: session.trim() }) });
    sendFile(reconciliationSchema, roomApi(instance.name, room, `/reconciliation?${query}`), { file: chosen, onProgress: () => undefined })
      .then((view) => setHeld({ ...nothing, view }))
      .catch((error: unknown) => setHeld({ ...nothing, problem: error instanceof ApiError ? error : new Error('unexpected') }));
  };
  const choose = ({ currentTarget }: ChangeEvent<HTMLInputElement>): void => {
    const [chosen] = currentTarget.files ?? [];
    if (chosen) compare(chosen, withFee);
    // The same file may be chosen again after it was corrected.
    currentTarget.value = '';
  };
  const changeFee = (isWanted: boolean): void => {
    setWithFee(isWanted);
    if (file) compare(file, isWanted);
  };
  return (
    <FactGroup title="Who took part, and what to pay">
      <p>On the study’s page in Prolific choose “Download summary”, and give that CSV here. It is compared with oTree’s data and forgotten again.</p>
      <div className="ui form fields-in-two">
        <div className="field">
          <label htmlFor={`${id}-session`}>Session</label>
          <input
            id={`${id}-session`}
            className="code"
            value={session}
            placeholder={sessionCode ?? ''}
            onChange={(event) => setSession(event.target.value)}
            autoComplete="off"
          />
          <p className="hint">{sessionCode === null ? 'The code of the session in oTree.' : `Left empty, it is ${sessionCode}, which is open in this room.`}</p>
        </div>
        <div className="field tick fee">
          <input id={`${id}-fee`} type="checkbox" checked={withFee} onChange={(event) => changeFee(event.target.checked)} />
          <label htmlFor={`${id}-fee`}>The bonus holds the participation fee, too (when the reward on Prolific does not)</label>
        </div>
      </div>
      <Button type="button" primary={held.view === null} basic={held.view !== null} disabled={held.isSending} onClick={() => picker.current?.click()}>
        Choose Prolific’s CSV…
      </Button>
      <input ref={picker} type="file" hidden accept=".csv,text/csv" aria-label="Prolific’s CSV" onChange={choose} />
      {held.isSending && <Loading what="Comparing…" />}
      {held.problem && <ProblemMessage error={held.problem} />}
      {held.view && <ReconciledPeople view={held.view} filename={`${instance.name}-${held.view.sessionCode}-bonus.csv`} />}
    </FactGroup>
  );
}
