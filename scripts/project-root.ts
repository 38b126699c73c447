// Where the checkout is, also for what was translated into its dist/app.

import path from 'node:path';

/** The folder with package.json, node_modules and prisma; in dist/app the scripts lie two folders deeper. */
export const projectRoot = path.resolve(import.meta.dirname, import.meta.url.endsWith('.ts') ? '..' : '../../..');
