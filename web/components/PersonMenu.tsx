// What a manager may do with one person: the menu of the row, and the dialog that follows.

import { useState, type ReactNode } from 'react';
import type { PersonView } from '../../contracts/people.ts';
import { useChangePerson } from '../people.ts';
import { showToast } from '../toasts.ts';
import { DeletePerson } from './DeletePerson.tsx';
import { DisablePerson } from './DisablePerson.tsx';
import { EditPerson } from './EditPerson.tsx';
import { Glyph } from './Glyph.tsx';
import { MakeLink } from './MakeLink.tsx';
import { MenuButton } from './MenuButton.tsx';

type Asked = 'edit' | 'link' | 'disable' | 'delete';

export function PersonMenu({ person, isSelf }: { person: PersonView; isSelf: boolean }): ReactNode {
  const [asked, setAsked] = useState<Asked | null>(null);
  const change = useChangePerson();
  const close = (): void => setAsked(null);
  const enable = (): void => {
    if (change.isPending) return;
    change.mutate(
      { id: person.id, isDisabled: false },
      { onSuccess: () => showToast(`${person.name} may sign in again.`), onError: (error) => showToast(`${error.message} ${error.hint}`, 'brick') },
    );
  };
  const whyNotSelf = isSelf ? 'This is you.' : null;
  const entries = [
    { key: 'edit', label: 'Edit…', icon: 'pencil alternate', onChoose: () => setAsked('edit') },
    {
      key: 'link',
      label: person.isInvited ? 'New invitation link…' : 'Link to a new password…',
      icon: 'linkify',
      whyNot: person.isDisabled ? 'The account is disabled.' : isSelf ? 'Change your password under Account.' : null,
      onChoose: () => setAsked('link'),
    },
    person.isDisabled
      ? { key: 'enable', label: 'Enable', icon: 'check circle outline', onChoose: enable }
      : { key: 'disable', label: 'Disable…', icon: 'ban', whyNot: whyNotSelf, onChoose: () => setAsked('disable') },
    { key: 'delete', label: 'Delete…', icon: 'trash alternate outline', isDangerous: true, whyNot: whyNotSelf, onChoose: () => setAsked('delete') },
  ];
  return (
    <>
      <MenuButton
        name={`Change ${person.name}`}
        label={
          <>
            Change <Glyph name="caret down" />
          </>
        }
        entries={entries}
      />
      {asked === 'edit' && <EditPerson person={person} isSelf={isSelf} onClose={close} />}
      {asked === 'link' && <MakeLink person={person} onClose={close} />}
      {asked === 'disable' && <DisablePerson person={person} onClose={close} />}
      {asked === 'delete' && <DeletePerson person={person} onClose={close} />}
    </>
  );
}
