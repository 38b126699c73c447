// The nginx maps that decide which cookies pass the front door, and the lines that spoil a forged panel cookie.

/** Runs of passing cookies between refused ones that one header may have; beyond it only the server's own cookie passes. */
const RUNS = 8;

const PANEL_COOKIE = '(?:__Host-)?arboretum';

/** A refused cookie up to its `=`; `\1` is the instance's own cookie name, at the head of the map's source. */
const REFUSED_BY_INSTANCE = String.raw`\s*+(?!\1\s*=)(?:otree_[^;=]*+|${PANEL_COOKIE})\s*+=`;
const REFUSED_BY_PANEL = String.raw`\s*+otree_[^;=]*+=`;

/**
 * The maps `$arboretum_instance_cookie` and `$arboretum_panel_cookie`: the Cookie header to send on.
 *
 * nginx has no "replace all", so one expression reads the header as runs of cookies that pass and runs that do not,
 * and puts the former together. Possessive quantifiers throughout: no header makes it slow or deep. A header with more runs than
 * `RUNS` fails closed: only the own cookie passes. `$arboretum_own` is set in each instance's server.
 */
export function renderCookieMaps(): string {
  return [
    ...renderPair({ name: 'instance', source: '$arboretum_own|$http_cookie;', refused: REFUSED_BY_INSTANCE, own: String.raw`\1\s*=` }),
    ...renderPair({ name: 'panel', source: 'panel|$http_cookie;', refused: REFUSED_BY_PANEL, own: String.raw`${PANEL_COOKIE}\s*=` }),
  ].join('\n');
}

/**
 * Spoils Set-Cookie lines of an instance that name the panel's cookie, each line of a response for itself.
 *
 * nginx cannot take a Set-Cookie line out, but a browser refuses `__Host-` without Secure, and Secure over plain http
 * (not on localhost, which browsers trust). A cookie without a name may carry `arboretum=…` as its value: same treatment.
 * A page's script can still write cookies for its own host: `__Host-` and hashed, rotating sessions bound that.
 * @see nginx 1.19.3 `proxy_cookie_flags`; older ones send the lines on unchanged
 */
export function renderCookieSpoilers(canEditCookieFlags: boolean): readonly string[] {
  if (!canEditCookieFlags) return [];
  return [String.raw`proxy_cookie_flags "~^\s*__Host-arboretum\s*$" nosecure;`, String.raw`proxy_cookie_flags "~^\s*(?:arboretum)?\s*$" secure;`];
}

type Pair = { readonly name: string; readonly source: string; readonly refused: string; readonly own: string };

function renderPair({ name, source, refused, own }: Pair): readonly string[] {
  const runs = Array.from({ length: RUNS }, (_, index) => `(?<arboretum_run${index}>(?:(?!${refused})[^;]*+;)*+)(?:${refused}[^;]*+;)*+`);
  const joined = Array.from({ length: RUNS }, (_, index) => `$arboretum_run${index}`);
  return [
    `map "${source}" $arboretum_${name}_only {`,
    `  "~^([^|]++)\\|(?:(?!\\s*+${own})[^;]*+;)*+\\s*+(?<arboretum_only>${own}[^;]*+);" $arboretum_only;`,
    '  default "";',
    '}',
    `map "${source}" $arboretum_${name}_kept {`,
    `  "~^([^|]*+)\\|${runs.join('')}$" "${joined.join('')}";`,
    `  default $arboretum_${name}_only;`,
    '}',
    `map $arboretum_${name}_kept $arboretum_${name}_cookie {`,
    '  "~^[\\s;]*+(?<arboretum_trimmed>(?:[^\\s;]++|[\\s;]++(?!$))*+)" $arboretum_trimmed;',
    '  default "";',
    '}',
  ];
}
