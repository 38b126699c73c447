// Who the panel is to its image registry: what the engine is told with a push, a fetch and a service, and what a refusal means.

import type Docker from 'dockerode';
import { AppError } from '../../contracts/errors.ts';
import type { Secret } from '../secret.ts';
import type { Ground } from './ground.ts';

export type RegistryAccount = { readonly user: string; readonly password: Secret };

/** What the engine sends on to the registry; empty words where nobody asks for any, because it refuses a push without them. */
export const authOf = ({ registry, registryAccount: account }: Pick<Ground, 'registry' | 'registryAccount'>): Docker.AuthConfigObject => ({
  username: account?.user ?? '',
  password: account?.password.open() ?? '',
  serveraddress: registry ?? '',
});

/** Whether an engine's words say that the registry wants to know who asks (docker 20.10 distribution/errors.go; registry 2.8 auth/htpasswd). */
export const isRefusal = (words: string): boolean =>
  /unauthorized|authentication required|no basic auth credentials|access to the resource is denied/i.test(words);

/** Why the registry did not take an image. @param words the engine's */
export function explainRegistry({ registry, registryAccount }: Pick<Ground, 'registry' | 'registryAccount'>, words: string, cause: unknown): AppError {
  const name = registry ?? '';
  if (!isRefusal(words)) return new AppError('platform_failed', { reason: `the image registry ${name} did not take the version: ${words}` }, { cause });
  const refusal = registryAccount === null ? 'asks for a user name and a password' : 'does not take the panel’s user name and password';
  return new AppError('registry_refused', { registry: name, refusal }, { cause });
}
