// What participants feel of the load just now, and what helps.

import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import type { InstanceView } from '../../contracts/instances.ts';
import { loadSchema, type Load } from '../../contracts/load.ts';
import { canOnInstance } from '../../contracts/roles.ts';
import { mayHavePeople } from '../../contracts/states.ts';
import { instanceApi } from '../addresses.ts';
import { request } from '../api.ts';
import { describeBytes, describeNumber } from '../numbers.ts';
import { checkLooks } from '../system-check.ts';
import { Ago } from './Ago.tsx';
import { Answer } from './Answer.tsx';
import { Fact, FactGroup, FactList } from './Facts.tsx';
import { Sign } from './Sign.tsx';

const againMs = 10_000;

export function LoadFacts({ instance }: { instance: InstanceView }): ReactNode {
  const [isWanted, setWanted] = useState(false);
  const load = useQuery({
    queryKey: ['load', instance.name],
    queryFn: ({ signal }) => request(loadSchema, instanceApi(instance.name, '/load'), { signal }),
    enabled: isWanted,
    refetchInterval: againMs,
    retry: false,
  });
  if (!canOnInstance(instance.standing, 'instance.operate') || !mayHavePeople.includes(instance.state)) return null;
  return (
    <FactGroup title="What your participants feel">
      {isWanted ? (
        <Answer query={load}>{(found) => <Felt load={found} />}</Answer>
      ) : (
        <>
          <p className="quiet">Watches the experiment for three seconds, again and again while this is open: requests, page times, processor.</p>
          <Button type="button" basic onClick={() => setWanted(true)}>
            Watch the load
          </Button>
        </>
      )}
    </FactGroup>
  );
}

function Felt({ load }: { load: Load }): ReactNode {
  const { tone, feel, advice, requestsPerSecond, pageMs, core, memoryBytes, people, measuredAt } = load;
  return (
    <>
      <p role="status">
        <Sign look={checkLooks[tone]} /> {feel}
      </p>
      {advice.map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      <FactList>
        <Fact name="Requests">{describeNumber(requestsPerSecond)} a second, of about 80 that one oTree takes</Fact>
        <Fact name="A page">{pageMs === null ? 'none came' : `${describeNumber(Math.round(pageMs))} ms`}</Fact>
        <Fact name="Core">{core === null ? 'not known on this platform' : `${describeNumber(Math.round(core * 100))} % of one; it uses no second one`}</Fact>
        {memoryBytes !== null && <Fact name="Memory">{describeBytes(memoryBytes)}</Fact>}
        <Fact name="People">{people === 0 ? 'nobody in a session' : `${describeNumber(people)} in a session`}</Fact>
        <Fact name="Seen">
          <Ago at={measuredAt} />
        </Fact>
      </FactList>
    </>
  );
}
