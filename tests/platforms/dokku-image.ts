// Acts out the Dockerfile of a derived tree without Docker: the same instructions, with /app in a folder of this machine.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const isRoot = process.getuid?.() === 0;
const INSTRUCTION = /^([A-Z]+) (.+)$/;

type Outcome = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** An image as `docker build` would leave it, and containers of it, one after the other, in the same folder. */
export class ActedImage {
  readonly base: string;
  readonly top: string;
  readonly command: readonly string[] = [];
  /** The system's Python, as in an image: one below somebody's home is not for the image's user. */
  readonly #environment: Record<string, string> = { PATH: '/usr/bin:/bin' };
  #folder = '/';
  #user: number | undefined;

  /** Builds the tar at `tree` within `folder`. @throws with what a RUN printed */
  constructor(tree: string, folder: string) {
    const context = path.join(folder, 'context');
    this.top = path.join(folder, 'app');
    for (const dir of [context, this.top]) mkdirSync(dir);
    chmodSync(folder, 0o755);
    expectOk(spawnSync('tar', ['-x', '-f', tree, '-C', context, '--no-same-owner'], { encoding: 'utf8' }));
    this.base = '';
    for (const line of readFileSync(path.join(context, 'Dockerfile'), 'utf8').split('\n')) {
      if (line === '' || line.startsWith('#')) continue;
      const [, instruction = '', rest = ''] = INSTRUCTION.exec(line) ?? [];
      if (instruction === 'FROM') this.base = rest;
      else if (instruction === 'CMD') this.command = JSON.parse(rest) as string[];
      else this.#follow(instruction, rest, context);
    }
  }

  #follow(instruction: string, rest: string, context: string): void {
    if (instruction === 'WORKDIR') this.#folder = this.place(rest);
    else if (instruction === 'ENV') for (const pair of rest.split(' ')) this.#environment[pair.split('=')[0] ?? ''] = this.place(pair.split('=')[1] ?? '');
    else if (instruction === 'USER') this.#user = Number(rest.split(':')[0]);
    else if (instruction === 'COPY') this.#copy(context, rest);
    else if (instruction === 'RUN') this.#run(rest);
    else if (instruction !== 'EXPOSE') throw new Error(`an instruction that this test does not know: ${instruction}`);
  }

  #copy(context: string, rest: string): void {
    const [from = '', to = ''] = rest.split(' ');
    cpSync(path.join(context, from), this.place(to), { recursive: true, verbatimSymlinks: true });
  }

  #run(script: string): void {
    const own = isRoot ? script : script.replaceAll(/chown [\d:]+/g, 'true');
    const options = { cwd: this.#folder, encoding: 'utf8', env: { ...process.env, ...this.#environment } } as const;
    expectOk(spawnSync('/bin/sh', ['-c', this.place(own)], options));
  }

  /** Where a path of the image lies here, also within other text. */
  readonly place = (text: string): string => text.replaceAll(/(?<![\w.-])\/app(?=[/\s]|$)/g, this.top);

  /** A command in a container, to its end. */
  run(words: readonly string[], environment: Readonly<Record<string, string>> = {}): Outcome {
    const done = spawnSync(this.place(words[0] ?? ''), this.#rest(words), { ...this.#options(environment), encoding: 'utf8', timeout: 90_000 });
    return { code: done.status, stdout: done.stdout, stderr: done.stderr };
  }

  /** A command in a container, running on; its output is collected in `said`. */
  start(words: readonly string[], environment: Readonly<Record<string, string>>): { child: ChildProcess; said: () => string } {
    const child = spawn(this.place(words[0] ?? ''), this.#rest(words), { ...this.#options(environment), stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
    return { child, said: () => output };
  }

  #rest = (words: readonly string[]): string[] => words.slice(1).map(this.place);

  #options(environment: Readonly<Record<string, string>>) {
    const user = isRoot && this.#user !== undefined ? { uid: this.#user, gid: this.#user } : {};
    return { cwd: this.#folder, env: { ...this.#environment, ...environment }, ...user };
  }
}

function expectOk(done: { status: number | null; stdout: string; stderr: string }): void {
  if (done.status !== 0) throw new Error(`exit code ${done.status}:\n${done.stdout}\n${done.stderr}`);
}
