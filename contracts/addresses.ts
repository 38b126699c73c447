// How an instance is reached: the kinds of address, what a host name may be, and an instance's addresses on the wire.

import { z } from 'zod';

/** `subdomain`: NAME.HOST · `port`: HOST:PORT · `path`: PATH_URL/NAME · `host`: a host name of its own. */
export const addressModes = ['subdomain', 'port', 'path', 'host'] as const;
export type AddressMode = (typeof addressModes)[number];

/** Kinds that the panel can give without anything from the person. */
export type NewAddressMode = Exclude<AddressMode, 'host'>;

/** What each kind is called where people read it. */
export const addressWords: Readonly<Record<AddressMode, string>> = {
  subdomain: 'a name below the panel’s',
  port: 'a port of its own',
  path: 'a path below one shared address',
  host: 'a host name of its own',
};

/** Names that lead nowhere by themselves (RFC 6761, 7686, 9476), or back from addresses. */
const deadEnds = ['invalid', 'onion', 'alt', 'arpa'];
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** A whole host name in small letters, as DNS has it; names in other letters in their `xn--` form. */
export const hostNameSchema = z
  .string()
  .trim()
  .toLowerCase()
  .transform((text) => text.replace(/\.$/, ''))
  .pipe(
    z
      .string()
      .min(1, 'Type the whole host name, for example study.psychology.university.edu.')
      .max(253, 'At most 253 characters.')
      .refine((name) => !/[:/@?#]/.test(name), 'Only the host name: no https://, no port, no path.')
      .refine((name) => !name.includes('*'), 'One name, not a wildcard.')
      .refine((name) => name.split('.').every((part) => label.test(part)), 'Letters, digits and hyphens between dots; other letters in their xn-- form.')
      .refine((name) => name.includes('.'), 'A whole host name with its domain, for example study.psychology.university.edu.')
      .refine((name) => !/\.\d+$/.test(name) && hasItsOwnForm(name), 'A host name, not an address in numbers.')
      .refine((name) => !deadEnds.includes(name.slice(name.lastIndexOf('.') + 1)), 'Names with this ending lead nowhere.'),
  );

/** What browsers would take for another name or for an address in numbers is none. */
const hasItsOwnForm = (name: string): boolean => URL.canParse(`http://${name}`) && new URL(`http://${name}`).hostname === name;

const addressView = { mode: z.enum(addressModes), url: z.string() };

/** Everything that the page about an instance's address shows. */
export const instanceAddressesSchema = z.object({
  present: z.object(addressView),
  /** Why nobody can change it here; null: those who may can. */
  fixedBecause: z.string().nullable(),
  /** Every kind, with the address that it would give: null for what is typed, or cannot be had. */
  choices: z.array(
    z.object({
      mode: z.enum(addressModes),
      url: z.string().nullable(),
      /** Why it cannot be chosen; null: it can. */
      whyNot: z.string().nullable(),
      /** The experiment starts anew, because oTree has to know its path. */
      restarts: z.boolean(),
    }),
  ),
  /** They lead to the present one, newest first. */
  former: z.array(z.object({ id: z.string(), since: z.string(), ...addressView })),
  /** For paths: with whom it shares one origin; those that the reader may not see are only counted. */
  shared: z.object({ origin: z.string(), names: z.array(z.string()), others: z.number().int() }).nullable(),
  /** For a host name of its own: where it leads now, and what to ask the IT department for; null for other kinds. */
  dns: z.object({ hostName: z.string(), leads: z.enum(['here', 'elsewhere', 'nowhere', 'unknown']), seen: z.string(), request: z.string() }).nullable(),
});
export type InstanceAddresses = z.infer<typeof instanceAddressesSchema>;

/** A reason is asked for while people are in a session. */
export const giveUpAddressQuery = z.object({ reason: z.string().trim().max(300).optional() });
