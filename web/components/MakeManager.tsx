// Making the Docker Engine the manager of a Swarm: the address is chosen, and what follows is said first.

import { useState, type ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import { makeManagerSchema } from '../../contracts/engine.ts';
import { platformChoiceSchema, type PlatformChoice } from '../../contracts/platform-choice.ts';
import { request } from '../api.ts';
import { useForm } from '../form.ts';
import { describeManager, useKeepChoice } from '../platform-choice.ts';
import { showToast } from '../toasts.ts';
import { Choice } from './Choice.tsx';
import { Dialog } from './Dialog.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { DialogActions } from './SubmitBar.tsx';

type Props = { addresses: PlatformChoice['addresses'] };

export function MakeManager({ addresses }: Props): ReactNode {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <div className="make-manager">
      <p>Experiments are services of a Docker Swarm, also on one host. This engine is in none yet.</p>
      <Button type="button" basic primary onClick={() => setIsOpen(true)}>
        Make it a Swarm manager…
      </Button>
      {isOpen && <Question addresses={addresses} onClose={() => setIsOpen(false)} />}
    </div>
  );
}

function Question({ addresses, onClose }: Props & { onClose: () => void }): ReactNode {
  const keep = useKeepChoice();
  const form = useForm({
    schema: makeManagerSchema,
    initial: { address: addresses[0]?.address ?? '' },
    send: (body) => request(platformChoiceSchema, '/system/engine/swarm', { method: 'POST', body }),
    onDone: (choice) => {
      keep(choice);
      showToast('The Docker Engine is the manager of a Swarm now.');
      onClose();
    },
  });
  return (
    <Dialog title="Make the Docker Engine a Swarm manager?" onClose={onClose}>
      <form className="ui form" onSubmit={form.submit}>
        <div className="content">
          <Choice
            form={form}
            name="address"
            label="At which address of this machine"
            options={addresses.map(({ address, note }) => ({ value: address, text: `${address} (${note})` }))}
            hint="127.0.0.1 is right as long as this is the only host."
          />
          {describeManager(form.values.address).map((sentence) => (
            <p key={sentence}>{sentence}</p>
          ))}
          {form.problem && <ProblemMessage error={form.problem} />}
        </div>
        <DialogActions form={form} verb="Make it a manager" isCancelFirst onCancel={onClose} />
      </form>
    </Dialog>
  );
}
