// Writes the pages of docs/ that are made from tables of the program; a test compares them. node --import tsx scripts/write-docs.ts

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { rightsPage } from '../contracts/rights-page.ts';
import { configurationPage } from '../domain/settings.ts';

const docs = path.join(import.meta.dirname, '..', 'docs');
writeFileSync(path.join(docs, 'configuration.md'), configurationPage());
writeFileSync(path.join(docs, 'rights.md'), rightsPage());
