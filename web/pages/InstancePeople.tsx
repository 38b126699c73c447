// Who works on this instance: its one owner, the colleagues it is shared with, and the sign-in for those without an account.

import { useState, type ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import { adminPasswordSchema, type InstanceView } from '../../contracts/instances.ts';
import { canOnInstance } from '../../contracts/roles.ts';
import type { InstancePeople as PeopleOfInstance } from '../../contracts/shares.ts';
import { instanceApi } from '../addresses.ts';
import { request } from '../api.ts';
import { Answer } from '../components/Answer.tsx';
import { CopyButton } from '../components/CopyButton.tsx';
import { FactGroup } from '../components/Facts.tsx';
import { HandOver } from '../components/HandOver.tsx';
import { ShareList } from '../components/ShareList.tsx';
import { useInstancePeople } from '../instance-people.ts';
import { ownerMeans } from '../share-words.ts';
import { useTab } from '../tab.ts';

export function InstancePeople(): ReactNode {
  const { instance } = useTab();
  const people = useInstancePeople(instance.name);
  const [isHandingOver, setHandingOver] = useState(false);
  return (
    <>
      <Answer query={people}>
        {(list) => (
          <div className="two-columns">
            <div>
              <Owner instance={instance} people={list} onHandOver={() => setHandingOver(true)} />
              {canOnInstance(instance.standing, 'instance.reveal-password') && <SignInToCopy instance={instance} />}
            </div>
            <FactGroup title="Shared with">
              <ShareList instance={instance} people={list} />
            </FactGroup>
          </div>
        )}
      </Answer>
      {isHandingOver && <HandOver instance={instance} onClose={() => setHandingOver(false)} />}
    </>
  );
}

function Owner({ instance, people: { owner }, onHandOver }: { instance: InstanceView; people: PeopleOfInstance; onHandOver: () => void }): ReactNode {
  return (
    <FactGroup title="Owner">
      <p>
        <strong>{owner.name}</strong> <span className="quiet">{owner.userName}</span>
        <span className="block quiet">The owner {ownerMeans}. Lab managers may do all of this, too.</span>
      </p>
      <p>Two people changing one server lose data: that is why only the owner pushes.</p>
      {canOnInstance(instance.standing, 'instance.hand-over') && (
        <Button type="button" basic onClick={onHandOver}>
          Hand over…
        </Button>
      )}
    </FactGroup>
  );
}

function SignInToCopy({ instance }: { instance: InstanceView }): ReactNode {
  return (
    <FactGroup title="Colleagues without an account">
      <p>
        Somebody who only runs sessions in oTree itself needs its address, user name and password. Copy all three at once; nothing is shown here, and the
        copying is recorded.
      </p>
      <p>
        oTree sign-in <CopyButton what="address, user name and password" text={() => readSignIn(instance)} />
      </p>
    </FactGroup>
  );
}

/** Three lines, as one pastes them into a message. */
async function readSignIn({ name, url }: Pick<InstanceView, 'name' | 'url'>): Promise<string> {
  const { username, password } = await request(adminPasswordSchema, instanceApi(name, '/admin-password'));
  return `Address: ${url}\nUser name: ${username ?? 'as in settings.py'}\nPassword: ${password}\n`;
}
