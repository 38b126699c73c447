// The machines on which a platform runs instances: seeing them, adding one, and emptying one for maintenance.

/** A machine that the panel reaches over a network: what it needs there, and what was found. */
export type HostReport = {
  /** `USER@HOST:PORT`. */
  readonly address: string;
  readonly isUp: boolean;
  /** Since when it cannot be reached; null while it can, and before the first attempt. */
  readonly downSince: Date | null;
  /** The panel's own public key, one line. */
  readonly publicKey: string;
  /** Fingerprint that the host showed and must show from now on; null before. */
  readonly hostKey: string | null;
  /** null when it could not be asked. */
  readonly version: string | null;
  /** Plugins that are not part of Dokku itself. */
  readonly plugins: readonly { readonly name: string; readonly version: string }[];
  /** What is free on the disk that holds containers, MiB; null when no running experiment told it in the last ten minutes. */
  readonly freeDiskMib: number | null;
  /** What stands in the way, each with what to do about it. */
  readonly problems: readonly string[];
  /** What works but is worth knowing. */
  readonly warnings: readonly string[];
};

/** One machine, as the platform knows it now. */
export type PlatformHost = {
  readonly id: string;
  readonly name: string;
  readonly address: string | null;
  readonly role: 'manager' | 'worker';
  readonly state: 'ready' | 'down' | 'unknown';
  /** Since when it has been in this state, as far as is known; null: it is there. */
  readonly awaySince: Date | null;
  readonly takesInstances: boolean;
  /** Front door and database are here. */
  readonly isPanelHost: boolean;
  readonly cores: number;
  readonly memoryBytes: number;
  /** Ids of the instances that run there. */
  readonly instanceIds: readonly string[];
};

export interface PlatformHosts {
  /** Whether instances may run on any of them; otherwise only on the panel's. */
  readonly isSpread: boolean;

  /** @throws platform_failed */
  list(): Promise<readonly PlatformHost[]>;

  /** What to type on a machine that shall join; holds a secret that lets any machine join. @throws platform_failed */
  joinCommand(): Promise<string>;

  /** Whether a host is to take instances; those on one that is not are started anew elsewhere, one at a time each. One that is down keeps to it when it is back. Idempotent. @throws not_found, platform_failed */
  setTaking(hostId: string, isTaking: boolean): Promise<void>;

  /** Takes a host that is down from the list: it must join anew to be one again. Gone already: returns. @throws platform_failed when it is not down */
  remove(hostId: string): Promise<void>;
}
