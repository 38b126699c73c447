// How to make an SSH key and to try it, for the reader's own system first.

import type { ReactNode } from 'react';
import { systemsFor, type OperatingSystem } from '../operating-systems.ts';
import { Commands } from './Commands.tsx';
import { FactGroup } from './Facts.tsx';

type Steps = { readonly where: ReactNode; readonly look: string; readonly copy: string; readonly copySays: string; readonly trouble: ReactNode };

const make = 'ssh-keygen -t ed25519';
const steps: Readonly<Record<OperatingSystem, Steps>> = {
  Windows: {
    where: 'Press the Windows key, type PowerShell, press Enter.',
    look: 'Get-Content $HOME\\.ssh\\id_ed25519.pub',
    copy: 'Get-Content $HOME\\.ssh\\id_ed25519.pub | Set-Clipboard',
    copySays: 'Copy the public half:',
    trouble: (
      <>
        “ssh-keygen is not recognized”: open Settings › System › Optional features, add <em>OpenSSH Client</em>, and open PowerShell again. Or use the Git Bash
        window that comes with Git for Windows; there follow the steps for Linux.
      </>
    ),
  },
  macOS: {
    where: 'Press ⌘ and the space bar, type Terminal, press Enter.',
    look: 'cat ~/.ssh/id_ed25519.pub',
    copy: 'pbcopy < ~/.ssh/id_ed25519.pub',
    copySays: 'Copy the public half:',
    trouble: 'When macOS asks to install the command line developer tools, let it: it is Apple’s own package.',
  },
  Linux: {
    where: 'Open a terminal (often Ctrl+Alt+T).',
    look: 'cat ~/.ssh/id_ed25519.pub',
    copy: 'cat ~/.ssh/id_ed25519.pub',
    copySays: 'Show the public half, mark the whole line and copy it with Ctrl+Shift+C:',
    trouble: 'When ssh-keygen is not found, install the package openssh-client (or openssh).',
  },
};

export function KeyHelp(): ReactNode {
  const systems = systemsFor(navigator.platform);
  return (
    <FactGroup title="How to make a key">
      <p>A key has two halves. The public half comes here; the private half never leaves your computer.</p>
      {systems.map((system, place) => (
        <details key={system} open={place === 0} className="fold">
          <summary>
            {system}
            {place === 0 && <small className="quiet"> your system</small>}
          </summary>
          <SystemSteps system={system} />
        </details>
      ))}
      <h3 className="ui header">Which file?</h3>
      <p>
        The one that ends in <code>.pub</code>. Its one line starts with <code>ssh-ed25519</code>. A text that starts with “BEGIN … PRIVATE KEY” is the private
        half: keep it to yourself.
      </p>
    </FactGroup>
  );
}

function SystemSteps({ system }: { system: OperatingSystem }): ReactNode {
  const { where, look, copy, copySays, trouble } = steps[system];
  return (
    <ol>
      <li>{where}</li>
      <li>
        Perhaps you have a key already. This shows it:
        <Commands what={`command that shows the key on ${system}`} lines={[look]} />
        One line that starts with ssh-ed25519: go on with step 4.
      </li>
      <li>
        Make a key. Press Enter at each question; a passphrase is welcome but not needed. Asked whether to overwrite a key, say n.
        <Commands what={`command that makes a key on ${system}`} lines={[make]} />
        <small className="quiet">{trouble}</small>
      </li>
      <li>
        {copySays}
        <Commands what={`command that copies the key on ${system}`} lines={[copy]} />
      </li>
      <li>Paste it into the field on this page.</li>
      <li>At the first push, git asks whether to trust this host: type yes.</li>
    </ol>
  );
}
