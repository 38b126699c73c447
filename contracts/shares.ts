// Who works on an instance, on the wire: its owner and the colleagues it is shared with.

import { z } from 'zod';

export const shareLevels = ['operate', 'view'] as const;
export type ShareLevel = (typeof shareLevels)[number];

const colleagueSchema = z.object({ id: z.string(), name: z.string(), userName: z.string(), isDisabled: z.boolean() });

export const instancePeopleSchema = z.object({
  owner: colleagueSchema,
  shares: z.array(z.object({ person: colleagueSchema, level: z.enum(shareLevels), since: z.string() })),
});
export type InstancePeople = z.infer<typeof instancePeopleSchema>;

/** A user name or an e-mail address, typed exactly: nobody browses the people of a lab to find a colleague. */
const loginSchema = z.string().trim().toLowerCase().min(1, 'A user name or an e-mail address.').max(200, 'At most 200 characters.');

export const addShareSchema = z.strictObject({ login: loginSchema, level: z.enum(shareLevels) });
export const changeShareSchema = z.strictObject({ level: z.enum(shareLevels) });
/** `keepsOperate`: the old owner goes on opening the Lobby and creating sessions. */
export const handOverSchema = z.strictObject({ login: loginSchema, keepsOperate: z.boolean() });
