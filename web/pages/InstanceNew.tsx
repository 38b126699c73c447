// Creating an instance: a name with its rules at hand, and whose it will be.

import { useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link, useNavigate } from 'react-router';
import { Segment } from 'semantic-ui-react';
import { createdInstanceSchema, createInstanceSchema, instanceNameSchema } from '../../contracts/instances.ts';
import { instancePath } from '../addresses.ts';
import { request } from '../api.ts';
import { Choice } from '../components/Choice.tsx';
import { ForeignApps } from '../components/ForeignApps.tsx';
import { Glyph } from '../components/Glyph.tsx';
import { SubmitBar } from '../components/SubmitBar.tsx';
import { TextField } from '../components/TextField.tsx';
import { useForm } from '../form.ts';
import { useIsNameTaken } from '../instances.ts';
import { followJob } from '../jobs.ts';
import { useMay, useMe } from '../panel.ts';
import { useOwnerOptions } from '../people.ts';
import { useTitle } from '../title.ts';

export function InstanceNew(): ReactNode {
  useTitle('New instance');
  const mayCreate = useMay('instances.create');
  return (
    <div className="column">
      <p>
        <Link to="/">‹ Instances</Link>
      </p>
      <h1>New instance</h1>
      {mayCreate ? <NewForm /> : <p>Only a lab manager creates instances. Ask yours for one.</p>}
      <ForeignApps />
    </div>
  );
}

function NewForm(): ReactNode {
  const client = useQueryClient();
  const navigate = useNavigate();
  const me = useMe().data?.person;
  const owners = useOwnerOptions();
  const form = useForm({
    schema: createInstanceSchema,
    initial: { name: '', ownerId: me?.id ?? '' },
    send: (body) => request(createdInstanceSchema, '/instances', { method: 'POST', body }),
    onDone: ({ name, job }) => {
      followJob(client, job);
      void navigate(instancePath(name));
    },
  });
  return (
    <Segment>
      <form className="ui form" onSubmit={form.submit}>
        <TextField form={form} name="name" label="Name" isFirst isCode hint={<NameHint name={form.values.name} />} />
        {owners.length > 0 && (
          <Choice
            form={form}
            name="ownerId"
            label="Owner"
            options={owners}
            hint="The owner pushes the project and runs the sessions. Lab managers may do everything, too."
          />
        )}
        <SubmitBar form={form} verb="Create instance" />
      </form>
    </Segment>
  );
}

/** The rules while nothing is typed; then whether the name fits, as one types. */
function NameHint({ name }: { name: string }): ReactNode {
  const taken = useIsNameTaken(name);
  if (name.trim() === '') return 'It becomes part of the address and of the git remote: 3 to 40 small letters, digits and hyphens, a letter first.';
  const checked = instanceNameSchema.safeParse(name);
  const remark = checked.success
    ? taken
      ? 'There is an instance with this name already.'
      : null
    : (checked.error.issues[0]?.message ?? 'This name does not fit.');
  return remark === null ? (
    <span className="tone-moss">
      <Glyph name="check" /> This name fits.
    </span>
  ) : (
    <span className="tone-amber">
      <Glyph name="exclamation triangle" /> {remark}
    </span>
  );
}
