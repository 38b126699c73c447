// The rows of the table of settings that only instances in containers have.

import { z } from 'zod';
import { image, imageList, secret, setting } from './setting-kinds.ts';

/** They stand in the table behind `DOCKER_SOCKET`. */
export const swarmSettings = {
  SWARM_BASE_IMAGES: setting(
    imageList.default(['python:3.12-slim-bookworm']),
    'images',
    'python:3.12-slim-bookworm',
    'What the images of experiments begin with, with commas. Each has one Python; a project that asks for another version than the first one’s gets it when there is one.',
  ),
  SWARM_OUTBOUND: setting(
    z.enum(['none', 'internet']).default('none'),
    'word',
    'none',
    'Whether running experiments may open connections: `none`, or `internet` (which includes this machine and the networks it sees).',
  ),
  SWARM_DATABASE: setting(
    z.enum(['shared', 'own']).default('shared'),
    'word',
    'shared',
    'Where databases of new instances on `swarm` are: `shared`, on the panel’s PostgreSQL server; `own`, each on a server in a container of its own. See swarm.md.',
  ),
  SWARM_POSTGRES_IMAGE: setting(
    image.optional(),
    'image',
    '`postgres:` with the version of `pg_dump` here',
    'What such a server runs: an image with PostgreSQL’s programs, not newer than `pg_dump` on the panel’s machine. An instance keeps the name that it began with.',
  ),
  SWARM_ADVERTISE_ADDRESS: setting(
    z.union([z.ipv4(), z.ipv6()]).optional(),
    'address',
    'none: `docker swarm init` is yours',
    'Makes the engine the manager of a Swarm of its own at this address of the machine, when it is in none. 127.0.0.1 does for one host.',
  ),
  SWARM_REGISTRY: setting(
    z
      .string()
      .regex(/^[a-z0-9][a-z0-9.-]*:\d{1,5}$/, 'must be HOST:PORT of an image registry, for example 10.0.0.1:5000')
      .optional(),
    'HOST:PORT',
    'none: instances run on this machine',
    'The image registry that every host of the Swarm reaches. With it, instances run on any host that has room.',
  ),
  SWARM_REGISTRY_USER: setting(
    z.string().optional(),
    'word',
    'none: the registry lets everybody in',
    'As whom the panel and all hosts use the image registry.',
  ),
  SWARM_REGISTRY_PASSWORD: setting(
    secret.optional(),
    'text',
    'none',
    'The password of SWARM_REGISTRY_USER. The Docker Engine gets it with each push and each service; it is written into no file, log or page of the panel.',
  ),
};
