// The roles of a person in words, for a choice.

import type { Role } from '../../contracts/roles.ts';

export const roleOptions: readonly { readonly value: Role; readonly text: string }[] = [
  { value: 'experimenter', text: 'Experimenter: own instances' },
  { value: 'manager', text: 'Lab manager: everything' },
];
