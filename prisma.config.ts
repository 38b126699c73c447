// Where Prisma's own command line finds our schema and migrations (we only use its `generate`).

import { defineConfig } from 'prisma/config';

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  // `generate` asks for an address and does not use it; the processes get theirs by environment.
  datasource: { url: 'postgresql://localhost/arboretum' },
});
