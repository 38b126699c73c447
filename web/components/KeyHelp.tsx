// How to make an SSH key, for the reader's own system first.

import type { ReactNode } from 'react';
import { systemsFor } from '../operating-systems.ts';
import { Commands } from './Commands.tsx';

const copyCommands = {
  Windows: { where: 'Open PowerShell', show: 'Get-Content $HOME\\.ssh\\id_ed25519.pub | Set-Clipboard' },
  macOS: { where: 'Open Terminal', show: 'pbcopy < ~/.ssh/id_ed25519.pub' },
  Linux: { where: 'Open a terminal', show: 'cat ~/.ssh/id_ed25519.pub' },
} as const;

export function KeyHelp(): ReactNode {
  const systems = systemsFor(navigator.platform);
  return (
    <section aria-label="How to make a key">
      <h2 className="ui header">How to make a key</h2>
      <p>A key has two halves. The public half comes here; the private half never leaves your computer.</p>
      {systems.map((system, place) => (
        <details key={system} open={place === 0} className="fold">
          <summary>{system}</summary>
          <ol>
            <li>
              {copyCommands[system].where} and type this. Press Enter at each question.
              <Commands what={`command that makes a key on ${system}`} lines={['ssh-keygen -t ed25519']} />
            </li>
            <li>
              {system === 'Linux' ? 'Show the public half, mark it and copy it:' : 'Copy the public half:'}
              <Commands what={`command that copies the key on ${system}`} lines={[copyCommands[system].show]} />
            </li>
            <li>Paste it into the field on this page.</li>
          </ol>
        </details>
      ))}
    </section>
  );
}
