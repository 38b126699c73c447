// Code without a command line: an archive is dropped here or chosen, sent, and deployed like a push.

import { useQueryClient } from '@tanstack/react-query';
import { useId, useRef, useState, type ChangeEvent, type DragEvent, type ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import { uploadedSchema, type InstanceView, type UploadedView } from '../../contracts/instances.ts';
import { instanceApi } from '../addresses.ts';
import { ApiError, sendFile } from '../api.ts';
import { describePeople } from '../consequences.ts';
import { followJob } from '../jobs.ts';
import { describeBytes } from '../numbers.ts';
import { Glyph } from './Glyph.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';

type Sending = { readonly file: File; readonly part: number };

export function DropArchive({ instance }: { instance: InstanceView }): ReactNode {
  const id = useId();
  const picker = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);
  const [reason, setReason] = useState('');
  const upload = useUpload(instance, reason);
  const people = instance.now.participantsInSession ?? 0;
  const needsReason = people > 0 || upload.problem?.code === 'people_in_session';
  const isReady = upload.sending === null && (!needsReason || reason.trim() !== '');
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    const [file] = event.dataTransfer.files;
    if (file && isReady) upload.start(file);
  };
  const choose = ({ currentTarget }: ChangeEvent<HTMLInputElement>): void => {
    const [file] = currentTarget.files ?? [];
    if (file) upload.start(file);
    // The same file may be chosen again after it was corrected.
    currentTarget.value = '';
  };
  return (
    <div className="drop-archive">
      {needsReason && (
        <div className="ui form">
          <div className="field">
            <label htmlFor={`${id}-reason`}>Why now?</label>
            <input id={`${id}-reason`} value={reason} maxLength={300} onChange={(event) => setReason(event.target.value)} />
            <p className="hint">{describePeople(people || null)}; a deployment restarts the experiment. The reason is recorded.</p>
          </div>
        </div>
      )}
      {/* oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- dropping is a way in for the mouse alone; the button below is for everybody */}
      <div
        className={`drop-zone ${isOver ? 'is-over' : ''}`}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <Glyph name="file archive outline" />
        <span>Drop a .zip or .otreezip of your project here, or</span>
        <Button type="button" basic disabled={!isReady} loading={upload.sending !== null} onClick={() => picker.current?.click()}>
          Choose a file…
        </Button>
        <input ref={picker} type="file" hidden accept=".zip,.otreezip,.gz,.tgz" aria-label="Archive of your project" onChange={choose} />
      </div>
      <Outcome upload={upload} />
    </div>
  );
}

type Upload = { sending: Sending | null; problem: ApiError | null; done: UploadedView | null; start: (file: File) => void };

function useUpload(instance: InstanceView, reason: string): Upload {
  const client = useQueryClient();
  const [sending, setSending] = useState<Sending | null>(null);
  const [problem, setProblem] = useState<ApiError | null>(null);
  const [done, setDone] = useState<UploadedView | null>(null);
  const isSending = useRef(false);
  const start = (file: File): void => {
    if (isSending.current) return;
    isSending.current = true;
    setProblem(null);
    setDone(null);
    setSending({ file, part: 0 });
    const query = new URLSearchParams({ filename: file.name, ...(reason.trim() === '' ? {} : { reason: reason.trim() }) });
    sendFile(uploadedSchema, instanceApi(instance.name, `/deployments?${query}`), { file, onProgress: (part) => setSending({ file, part }) })
      .then((answer) => {
        setDone(answer);
        if (answer.job) followJob(client, answer.job);
        void client.invalidateQueries({ queryKey: ['deployments', instance.name] });
      })
      .catch((error: unknown) => setProblem(error instanceof ApiError ? error : new ApiError(unexpected)))
      .finally(() => {
        isSending.current = false;
        setSending(null);
      });
  };
  return { sending, problem, done, start };
}

const unexpected = { status: 0, code: 'internal', title: 'Something unexpected happened in this page.', hint: 'Reload the page and try again.' };

function Outcome({ upload: { sending, problem, done } }: { upload: Upload }): ReactNode {
  if (problem) return <ProblemMessage error={problem} />;
  return (
    <div role="status">
      {sending && (
        <p>
          <progress value={sending.part} max={1} aria-label="Sent" /> {sending.file.name}, {describeBytes(sending.file.size)}:{' '}
          {sending.part < 1 ? `${Math.floor(sending.part * 100)} % sent` : 'sent, being unpacked…'}
        </p>
      )}
      {done?.isUnchanged && <p>These are the files that are deployed already. Nothing was changed.</p>}
      {done && done.leftOut.length > 0 && (
        <p className="quiet">
          Left out, because a deployment has its own:{' '}
          {done.leftOut.slice(0, 5).map((name) => (
            <code key={name}>{name} </code>
          ))}
          {done.leftOut.length > 5 && `and ${done.leftOut.length - 5} more`}
        </p>
      )}
    </div>
  );
}
