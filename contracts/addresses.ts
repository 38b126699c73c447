// How an instance is reached: the kinds of address.

/** `subdomain`: NAME.HOST · `port`: HOST:PORT · `path`: PATH_URL/NAME · `host`: a host name of its own. */
export const addressModes = ['subdomain', 'port', 'path', 'host'] as const;
export type AddressMode = (typeof addressModes)[number];

/** Kinds that the panel can give without anything from the person. */
export type NewAddressMode = Exclude<AddressMode, 'host'>;
