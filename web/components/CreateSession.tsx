// The form that creates an oTree session in a room.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { Message } from 'semantic-ui-react';
import type { z } from 'zod';
import { createdSessionSchema, createSessionSchema, type InstanceView, type RoomView } from '../../contracts/instances.ts';
import { instanceApi } from '../addresses.ts';
import { request } from '../api.ts';
import { useForm } from '../form.ts';
import { Choice } from './Choice.tsx';
import { SubmitBar } from './SubmitBar.tsx';
import { TextField } from './TextField.tsx';

type Props = {
  instance: InstanceView;
  room: RoomView;
  readyCount: number;
  /** How many people are recruited for this room, when that was said. */
  expected?: number;
};
type Created = z.infer<typeof createdSessionSchema>;

export function CreateSession({ instance, room, readyCount, expected }: Props): ReactNode {
  const [created, setCreated] = useState<Created | null>(null);
  const client = useQueryClient();
  const suggested = readyCount > 0 ? readyCount : (expected ?? 0);
  const path = instanceApi(instance.name, `/rooms/${encodeURIComponent(room.name)}/sessions`);
  const create = useMutation({ mutationFn: (body: unknown) => request(createdSessionSchema, path, { method: 'POST', body }), networkMode: 'always' });
  const form = useForm({
    schema: createSessionSchema,
    initial: { sessionConfigName: '', numParticipants: asSuggested },
    toBody: (typed) => fillIn(typed, instance, suggested),
    send: (body) => create.mutateAsync(body),
    onDone: (result) => {
      setCreated(result);
      void client.invalidateQueries({ queryKey: ['instance', instance.name] });
    },
  });
  const filled = fillIn(form.values, instance, suggested);
  if (instance.state === 'unknown') return <p className="quiet">A session can be created here when the panel sees the experiment again.</p>;
  if (instance.state !== 'running') return <p className="quiet">Start the experiment to create a session here.</p>;
  if (instance.sessionConfigs.length === 0)
    return <p className="quiet">The project has no session configs yet: SESSION_CONFIGS in settings.py is empty or not read yet.</p>;
  return (
    <form className="ui form create-session" onSubmit={form.submit} aria-label={`Create a session in ${room.displayName}`}>
      {room.sessionCode !== null && (
        <p className="quiet">
          Session <code>{room.sessionCode}</code> is open in this room. A new one takes its place.
        </p>
      )}
      <div className="fields-in-line">
        <Choice
          form={{ ...form, values: filled }}
          name="sessionConfigName"
          label="Session config"
          term="session-config"
          options={instance.sessionConfigs.map(({ name, displayName }) => ({ value: name, text: displayName === name ? name : `${displayName} (${name})` }))}
        />
        <TextField
          form={{ ...form, values: filled }}
          name="numParticipants"
          type="number"
          label="Participants"
          hint={
            readyCount > 0 ? 'As many as are ready.' : expected === undefined ? 'As the project suggests.' : 'As many as are expected; some more do no harm.'
          }
        />
        <div className="field">
          <SubmitBar form={form} verb="Create session" />
        </div>
      </div>
      {created && (
        <Message positive role="status">
          Session <code>{created.code}</code> is open in this room.{' '}
          <a href={created.adminUrl} target="_blank" rel="noopener">
            Open it in oTree ↗
          </a>
        </Message>
      )}
    </form>
  );
}

/** Stands for "not typed yet": the number follows those who are ready. */
const asSuggested = 'as suggested';
type Typed = { sessionConfigName: string; numParticipants: string };

/** What was typed, or else the first config and as many people as are ready (nobody: the project's demo number). */
function fillIn(typed: Typed, { sessionConfigs }: InstanceView, wanted: number): Typed {
  const config = sessionConfigs.find(({ name }) => name === typed.sessionConfigName) ?? sessionConfigs[0];
  const suggested = wanted > 0 ? wanted : (config?.numDemoParticipants ?? 1);
  return { sessionConfigName: config?.name ?? '', numParticipants: typed.numParticipants === asSuggested ? String(suggested) : typed.numParticipants };
}
