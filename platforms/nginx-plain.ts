// The plain port where https is meant: who came without encryption is sent there; whom a trusted proxy let in by https is answered.

import { renderOnlyPage, renderPage, renderSendOn } from './nginx-proxy.ts';
import type { NginxSettings, PathDoor } from './nginx-settings.ts';
import { block } from './nginx-words.ts';

/** What a name does on the plain port; `first` are the lines with which each of its locations has to begin. */
export type PlainPort = {
  /** The address with https. */
  readonly url: string;
  /** Whether this nginx has a certificate for it. */
  readonly isCertified: boolean;
  readonly answer: (first: readonly string[]) => readonly string[];
};

/**
 * The lines of a server without encryption, where this nginx takes https for the same name.
 *
 * A proxy in front that holds a certificate, too, and passes on to this port would be told to ask for https, ask again, be
 * told again, for ever. So a proxy that was named is believed when it says that its visitor came by https.
 */
export function renderPlainPort(settings: NginxSettings, { url, isCertified, answer }: PlainPort): readonly string[] {
  if (settings.trustedProxies.length === 0) return isCertified ? [block('location /', renderSendOn(308, url))] : renderOnlyPage(settings, 'certificate', 503);
  const first = isCertified ? unless('$arboretum_proto', 'http', renderSendOn(308, url)) : unless('$arboretum_proto', 'http', pending);
  return [...(isCertified ? [] : [renderPage(settings, 'certificate')]), ...answer([first])];
}

/** The same for a location in the server of all paths, which is written without knowing whether there is a certificate: the server says so. */
export function renderPlainBelow(settings: NginxSettings, door: PathDoor | null): readonly string[] {
  if (door === null || !sharesPlainPort(settings, door)) return [];
  return [
    'set $arboretum_came $arboretum_proto$arboretum_lacks;',
    unless('$arboretum_came', 'http', renderSendOn(308, door.origin)),
    unless('$arboretum_came', `http${LACKS}`, pending),
  ];
}

/** What such a server says before its locations. */
export const renderLacks = (settings: NginxSettings, door: PathDoor, isCertified: boolean): readonly string[] =>
  sharesPlainPort(settings, door) ? [`set $arboretum_lacks "${isCertified ? '' : LACKS}";`, renderPage(settings, 'certificate')] : [];

/** Whether visitors of the paths may come over the plain port, brought by a proxy. */
export const sharesPlainPort = (settings: NginxSettings, door: PathDoor): boolean => door.isTls && door.port === null && settings.trustedProxies.length > 0;

const LACKS = '-without-certificate';
const pending: readonly string[] = ['error_page 503 /.arboretum/certificate.html;', 'return 503;'];

/** Nothing but `return` may stand in it: nginx forgets the rest of the location there. */
const unless = (variable: string, word: string, lines: readonly string[]): string => block(`if (${variable} = ${word})`, lines);
