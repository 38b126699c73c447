// THE interface to a certificate authority: one host name in, one certificate out.

import type { DoorCertificate } from './front-door.ts';

/** Runs one named step of the story; a job shows it with its time and result. */
export type StoryStep = <T>(name: string, label: string, work: () => Promise<T>) => Promise<T>;

export interface CertificateAuthority {
  /** Host name, as people read it in errors. */
  readonly name: string;
  /**
   * Gets a certificate for this host name with a fresh key. Leaves nothing behind, however it ends; safe to repeat,
   * though authorities count attempts. Ends within some four minutes.
   * @throws the acme_… codes of contracts/certificate-errors.ts, or the signal's reason
   */
  issue(hostName: string, run: { readonly signal: AbortSignal; readonly step: StoryStep }): Promise<DoorCertificate>;
}
