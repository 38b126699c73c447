// Addresses inside the panel: where to go back to after signing in, and the pages of an instance.

/** A path of this panel from an address bar, or `/`: a link must not lead to another site after signing in. */
export const readBack = (back: string | null): string => (back !== null && /^\/(?![/\\])/.test(back) && !back.startsWith('/sign-in') ? back : '/');

export const instancePath = (name: string, tab = ''): string => `/instances/${encodeURIComponent(name)}${tab === '' ? '' : `/${tab}`}`;

/** Path of an instance in the HTTP interface. */
export const instanceApi = (name: string, rest = ''): string => `/instances/${encodeURIComponent(name)}${rest}`;
