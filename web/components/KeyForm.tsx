// The form that adds a public SSH key: pasted, or read from a file that stays on the reader's computer until sent.

import { useId, useState, type ChangeEvent, type ReactNode } from 'react';
import { addSshKeySchema } from '../../contracts/people.ts';
import { send } from '../api.ts';
import { useForm, type Form } from '../form.ts';
import { TextField } from './TextField.tsx';

type KeyValues = { publicKey: string; name: string };

/** Adds a key; `onDone` gets what empties the form. */
export function useKeyForm(onDone: (clear: () => void) => void): Form<KeyValues> {
  return useForm({
    schema: publicKeySchema,
    initial: { publicKey: '', name: '' },
    send: (body) => send('/ssh-keys', { method: 'POST', body }),
    onDone: (_answer, clear) => onDone(clear),
  });
}

/** The private half must never be sent, whatever its format. */
const isPrivateKey = (text: string): boolean => /PRIVATE KEY|PuTTY-User-Key-File/i.test(text);

const publicKeySchema = addSshKeySchema.refine(({ publicKey }) => !isPrivateKey(publicKey), {
  path: ['publicKey'],
  message: 'This is the private half of a key. It was not sent. Paste the one line of the file that ends in .pub.',
});

export function KeyFields({ form, isFirst = false }: { form: Form<KeyValues>; isFirst?: boolean }): ReactNode {
  const id = useId();
  const [isTooLarge, setTooLarge] = useState(false);
  const readFile = async (event: ChangeEvent<HTMLInputElement>): Promise<void> => {
    const file = event.target.files?.[0];
    event.target.value = '';
    if (!file) return;
    setTooLarge(file.size > 20_000);
    if (file.size > 20_000) return;
    form.set('publicKey', (await file.text()).trim());
  };
  return (
    <>
      <TextField
        form={form}
        name="publicKey"
        label="Public key"
        term="ssh-key"
        rows={4}
        isCode
        isFirst={isFirst}
        hint="One line that starts with ssh-ed25519, ecdsa-sha2 or ssh-rsa."
      />
      <div className="field">
        <label htmlFor={id}>Or choose the .pub file</label>
        <input id={id} type="file" accept=".pub,text/plain" onChange={(event) => void readFile(event)} />
        <p className="remark" role="alert">
          {isTooLarge && 'This file is too large for a public key.'}
        </p>
      </div>
      <TextField form={form} name="name" label="Name (optional)" hint="For example “office computer”." />
    </>
  );
}
