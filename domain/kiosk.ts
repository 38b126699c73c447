// Shortcuts that open a seat of the Lobby as the only thing on a computer's screen: one small program for each seat and system.

export const kioskSystems = ['windows', 'macos', 'linux'] as const;
export type KioskSystem = (typeof kioskSystems)[number];

/** A seat and the address of its page in the Lobby. */
export type SeatLink = { readonly label: string; readonly address: string };
export type KioskFile = { readonly name: string; readonly content: string; readonly isExecutable: boolean };

/**
 * Nothing else goes into a program: no character of these means anything to `sh` inside single quotes, and in a .cmd
 * file only `%`, which is doubled.
 */
const safeAddress = /^https?:\/\/[A-Za-z0-9.:[\]-]+(?:\/[A-Za-z0-9._~%-]*)*$/;

/** One part of an address, with everything encoded that `encodeURIComponent` leaves and a shell might read. */
export const encodePart = (part: string): string =>
  encodeURIComponent(part.replaceAll(/\p{Surrogate}/gu, '\uFFFD')).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

/**
 * A profile of its own: with a browser open already, `--kiosk` would only open one more tab in it. `--incognito` (for Edge
 * `--inprivate`, which understands both): the next person finds nothing of the one before.
 */
const flags = '--kiosk --incognito --no-first-run --no-default-browser-check --disable-session-crashed-bubble --noerrdialogs --disable-pinch';

/** Shortcuts of all seats and a page that says how to use them. @throws Error for an address that is none */
export function kioskFiles(system: KioskSystem, room: string, seats: readonly SeatLink[]): KioskFile[] {
  const taken = new Set<string>();
  const files = seats.map(({ label, address }) => {
    if (!safeAddress.test(address)) throw new Error('not an address for a shortcut');
    return { name: fileName(`${room}-${label}`, taken) + endings[system], content: writers[system](address), isExecutable: true };
  });
  return [{ name: 'READ ME.txt', content: manual(system), isExecutable: false }, ...files];
}

/** Letters, digits, hyphen and underscore only; two that differ in capitals alone would be one file on Windows and macOS. */
function fileName(wanted: string, taken: Set<string>): string {
  const plain = wanted.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 150);
  let name = plain;
  for (let next = 2; taken.has(name.toLowerCase()); next += 1) name = `${plain}-${next}`;
  taken.add(name.toLowerCase());
  return name;
}

const endings = { windows: '.cmd', macos: '.command', linux: '.sh' } as const;

const writers: Readonly<Record<KioskSystem, (address: string) => string>> = {
  windows: (address) =>
    [
      '@echo off',
      'setlocal DisableDelayedExpansion',
      `set "ADDRESS=${address.replaceAll('%', '%%')}"`,
      'for %%P in (',
      ...windowsPlaces.map((place) => `  "${place}"`),
      ') do if exist %%P (',
      `  start "" %%P ${flags} "--user-data-dir=%LOCALAPPDATA%\\ArboretumKiosk" "%ADDRESS%"`,
      '  exit /b 0',
      ')',
      'echo Neither Chrome nor Chromium nor Edge was found on this computer.',
      'pause',
      '',
    ].join('\r\n'),
  macos: (address) => `#!/bin/sh
address='${address}'
for folder in "/Applications" "$HOME/Applications"; do
  for name in 'Google Chrome' 'Chromium' 'Microsoft Edge'; do
    program="$folder/$name.app/Contents/MacOS/$name"
    if [ -x "$program" ]; then
      exec "$program" ${flags} "--user-data-dir=$HOME/arboretum-kiosk" "$address"
    fi
  done
done
echo 'Neither Chrome nor Chromium nor Edge was found on this computer.' >&2
exit 1
`,
  linux: (address) => `#!/bin/sh
address='${address}'
for program in google-chrome google-chrome-stable chromium chromium-browser microsoft-edge microsoft-edge-stable; do
  if command -v "$program" >/dev/null 2>&1; then
    exec "$program" ${flags} "--user-data-dir=$HOME/arboretum-kiosk" "$address"
  fi
done
echo 'Neither Chrome nor Chromium nor Edge was found on this computer.' >&2
exit 1
`,
};

const windowsPlaces = ['Google\\Chrome\\Application\\chrome.exe', 'Chromium\\Application\\chrome.exe', 'Microsoft\\Edge\\Application\\msedge.exe'].flatMap(
  (program) => ['%ProgramFiles%', '%ProgramFiles(x86)%', '%LOCALAPPDATA%'].map((folder) => `${folder}\\${program}`),
);

const hints: Readonly<Record<KioskSystem, string>> = {
  windows:
    'Put the file with the computer’s label on its desktop and open it by a double click. To have it opened at every sign-in, put it\ninto the folder that opens when you press Windows+R and type shell:startup.\nEnd it with Alt+F4.',
  macos:
    'Put the file with the computer’s label on its desktop. The first time, click it with the right button and choose Open, because macOS\nasks about files from the network. To have it opened at every sign-in, add it under System Settings, General, Login Items.\nEnd it with Command+Q.',
  linux:
    'Put the file with the computer’s label on its desktop and run it; some desktops want “Allow launching” or “Run as a program” first.\nTo have it opened at every sign-in, add it to the session’s start programs.\nEnd it with Alt+F4.',
};

const manual = (system: KioskSystem): string =>
  `One file for each seat. It opens the seat’s page of the Lobby over the whole screen, in Chrome, Chromium or Edge,\nwhichever is there; nothing has to be installed.\n\n${hints[system]}\n`.replaceAll(
    '\n',
    system === 'windows' ? '\r\n' : '\n',
  );
