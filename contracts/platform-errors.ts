// What can go wrong with the choice of a platform, with moves between them, and with what only one of them has.

import type { ErrorEntry } from './build-errors.ts';

/** Part of `errorTable`. */
export const platformErrors = {
  move_tied: {
    status: 409,
    sentence: 'This instance has a database server of its own, which no other platform can use, so it cannot be moved.',
    hint: 'For the next study make a new instance there and push the project to it. The data of this one stay here, and can be downloaded.',
  },
  postgres_too_new: {
    status: 409,
    sentence: 'The image {image} has PostgreSQL {server}, but pg_dump on the panel’s machine is version {own}: no backup could be made.',
    hint: 'Install the client programs of PostgreSQL {server} (Debian: postgresql-client-{server}), or set SWARM_POSTGRES_IMAGE to an image with version {own}, and start the panel again.',
  },
  database_lost: {
    status: 409,
    sentence: 'The data of this instance are not there: its own database server is empty.',
    hint: 'Restore the newest backup (Data › Backups), or reset the database to begin anew. If a disk is missing on the machine, bring it back before.',
  },
  move_refused: {
    status: 409,
    sentence: 'This instance cannot be moved: {reason}',
    hint: 'It stays where it is, and goes on as before. See Help, “Instances in containers”.',
  },
  registry_refused: {
    status: 502,
    sentence: 'The image registry {registry} {refusal}.',
    hint: 'Set SWARM_REGISTRY_USER and SWARM_REGISTRY_PASSWORD as the registry knows them, restart the panel, and deploy again. See Help, “Instances in containers”.',
  },
  platform_fixed: { status: 409, sentence: 'The platform cannot be changed now. {reason}', hint: 'Nothing was changed.' },
  platform_not_here: { status: 409, sentence: 'This platform cannot be used here. {reason}', hint: '{fix}' },
} as const satisfies Record<string, ErrorEntry>;
