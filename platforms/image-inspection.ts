// The first half of a build of an image: the project looked through, and versions chosen for the Python of a base image.

import { rm } from 'node:fs/promises';
import { type BuildGround, endControlGroup, placeLauncher } from './confined.ts';
import { chooseInterpreter } from './interpreter.ts';
import { makeDirectory } from './owned-files.ts';
import type { BuildRequest } from './release.ts';
import { inspectProject, type ProjectInspection } from './project-inspection.ts';
import type { Requirements, WantedPython } from './requirements.ts';
import { foreignPlaces } from './uv.ts';

export type ImageInspection = {
  readonly request: BuildRequest;
  /** Folder of this release, not there yet or empty. */
  readonly dir: string;
  /** Versions of `python3` in the base images that there are, `3.11` or `3.11.9`; the first one is taken unless the project asks for another. */
  readonly pythons: readonly [string, ...string[]];
};

/** Looks into source packages of others, where user ids are separated; never an instance's, which lie above it. */
const FOREIGN_USER_ID = 199_998;

/**
 * Unpacks and checks a project, and chooses the versions that the image will install. Nothing of the project runs here,
 * except source packages that say only by running what they need: those run confined, as a user that owns nothing.
 * @throws the codes of `contracts/errors.ts` under “builds”
 */
export async function inspectForImage(ground: BuildGround, instanceId: string, inspection: ImageInspection): Promise<ProjectInspection> {
  const { request, dir, pythons } = inspection;
  await placeLauncher(ground);
  await makeDirectory(ground, dir, { mode: 0o711 });
  const choosePython = async (wanted: WantedPython | null) => {
    const python = pythons.find((one) => minorOf(one) === wanted?.version) ?? pythons[0];
    // The same version where this machine has it: what must be built to be looked into is then built as in the image.
    const interpreter = await chooseInterpreter(ground, { version: minorOf(python), file: '' });
    return { interpreter, python, isForElsewhere: true, warnings: warnOfImagePython(wanted, python) };
  };
  try {
    const found = await inspectProject(ground, { instanceId, osUserId: FOREIGN_USER_ID }, { request, dir, choosePython });
    return { ...found, warnings: [...found.warnings, ...warnOfGit(found.requirements)] };
  } finally {
    for (const purpose of ['build', 'source']) await endControlGroup(`${purpose}-${instanceId}`);
    // That user looks into the packages of everybody's projects: nothing may wait there for the next one.
    await rm(foreignPlaces(ground, instanceId).dir, { recursive: true, force: true });
  }
}

const minorOf = (version: string): string => version.split('.', 2).join('.');

/** What people should know when the image has another Python than the project asks for. */
function warnOfImagePython(wanted: WantedPython | null, imagePython: string): string[] {
  const present = minorOf(imagePython);
  if (wanted === null || wanted.version === present) return [];
  return [`${wanted.file} asks for Python ${wanted.version}; instances here run on ${present}. Try the experiment once, then write ${present} there.`];
}

const warnOfGit = ({ lines }: Requirements): string[] =>
  lines.some((line) => /(?:^|@\s*)git\+/.test(line))
    ? ['requirements.txt names an address of git: that works only if the base image has git. Better name a version from the package index.']
    : [];
