// The Docker Engine on the System page: whether it answers, its Swarm, what it limits, what lies and runs on it.

import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { EngineFacts, EngineReport, RegistryFacts } from '../../contracts/engine.ts';
import type { Look } from '../looks.ts';
import { countOf } from '../numbers.ts';
import { useEngine } from '../platform-choice.ts';
import { Answer } from './Answer.tsx';
import { Fact, FactGroup, FactList } from './Facts.tsx';
import { Sign } from './Sign.tsx';

export function EngineGroup(): ReactNode {
  return (
    <FactGroup title="Docker Engine" aside={<Link to="/system/check">What to do about it: System check</Link>}>
      <Answer query={useEngine()}>{(report) => <Engine report={report} />}</Answer>
    </FactGroup>
  );
}

const answerLooks: Readonly<Record<EngineReport['answer'], Look>> = {
  answers: { word: 'answers', icon: 'check circle', tone: 'moss' },
  absent: { word: 'not there', icon: 'times circle', tone: 'brick' },
  refused: { word: 'does not let the panel in', icon: 'times circle', tone: 'brick' },
  silent: { word: 'does not answer', icon: 'times circle', tone: 'brick' },
};

const registryLooks: Readonly<Record<RegistryFacts['answer'], Look>> = {
  takes: { word: 'answers', icon: 'check circle', tone: 'moss' },
  refuses: { word: 'does not let the panel in', icon: 'times circle', tone: 'brick' },
  away: { word: 'cannot be used', icon: 'times circle', tone: 'brick' },
};

const swarmWords: Readonly<Record<EngineFacts['swarm'], string>> = {
  manager: 'manager',
  worker: 'belongs to another machine’s Swarm',
  none: 'in none',
  locked: 'locked',
  unwell: 'does not work just now',
};

function Engine({ report }: { report: EngineReport }): ReactNode {
  const { facts } = report;
  return (
    <FactList>
      <Fact name="Engine">
        <Sign look={answerLooks[report.answer]} /> {facts && facts.version} at <code>{report.socket}</code>
      </Fact>
      {facts && <Facts facts={facts} />}
    </FactList>
  );
}

const gib = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;

function Facts({ facts }: { facts: EngineFacts }): ReactNode {
  const { limits, disk, baseImages, imagesBytes, registry } = facts;
  const held = [limits.memory && 'memory', limits.processes && 'processes', limits.processor && 'processor time'].filter((word) => word !== false);
  return (
    <>
      <Fact name="Swarm">
        {swarmWords[facts.swarm]}
        {facts.hosts !== null && `, ${countOf(facts.hosts, 'host')}`}
        {facts.swarmAddress !== null && (
          <>
            {' '}
            at <code>{facts.swarmAddress}</code>
          </>
        )}
      </Fact>
      <Fact name="Limits">
        {held.length === 0 ? 'none' : held.join(', ')} (cgroup version {facts.cgroupVersion})
      </Fact>
      <Fact name="Base images">
        {baseImages.map(({ name, sizeBytes }) => (
          <div key={name}>
            <code>{name}</code> {sizeBytes === null ? 'not there yet: the next push fetches it' : gib(sizeBytes)}
          </div>
        ))}
      </Fact>
      <Fact name="Images">
        {imagesBytes === null ? 'size not known just now' : `${gib(imagesBytes)} in all`}, {facts.ownImages} of this panel
      </Fact>
      {registry !== null && (
        <Fact name="Registry">
          <Sign look={registryLooks[registry.answer]} /> <code>{registry.address}</code>
        </Fact>
      )}
      <Fact name="Containers">
        {facts.running} running, {countOf(facts.serving.length, 'experiment')} of this panel
      </Fact>
      <Fact name="Storage">
        {facts.storageDriver} in <code>{facts.rootDir}</code>
        {disk !== null && `, ${gib(disk.freeMib * 1024 ** 2)} of ${gib(disk.totalMib * 1024 ** 2)} free`}
      </Fact>
    </>
  );
}
