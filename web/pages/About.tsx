// What the panel is and what it stands on.

import type { ReactNode } from 'react';
import { Answer } from '../components/Answer.tsx';
import { Fact, FactGroup, FactList } from '../components/Facts.tsx';
import { countOf } from '../numbers.ts';
import { useAbout } from '../panel.ts';
import { useTitle } from '../title.ts';

export function About(): ReactNode {
  useTitle('About');
  return (
    <div className="column">
      <h1>About</h1>
      <p className="lead">Arboretum is a control panel for laboratories that run behavioural experiments with oTree.</p>
      <Answer query={useAbout()}>
        {({ panel, parts, otree, licence }) => (
          <>
            <FactGroup title="Versions">
              <FactList>
                <Fact name="Arboretum">{panel}</Fact>
                {parts.map(({ name, version }) => (
                  <Fact key={name} name={name}>
                    {version}
                  </Fact>
                ))}
                <Fact name="oTree">
                  {otree.length === 0
                    ? 'no experiment deployed yet'
                    : otree.map(({ version, instances }) => `${version} (${countOf(instances, 'instance')})`).join(', ')}
                </Fact>
              </FactList>
            </FactGroup>
            <FactGroup title="Licence">
              <p>
                Arboretum is free software under the {licence} licence. oTree has a licence of its own; papers that use it cite Chen, Schonger and Wickens
                (2016), “oTree: An open-source platform for laboratory, online, and field experiments”.
              </p>
              <p>
                <a href="https://otree.readthedocs.io/">oTree’s documentation</a> · <a href="/api/v1/docs">HTTP interface of this panel</a>
              </p>
            </FactGroup>
          </>
        )}
      </Answer>
    </div>
  );
}
