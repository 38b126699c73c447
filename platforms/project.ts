// What a project offers, as its settings.py says it: session configs and rooms.

export type Room = {
  readonly name: string;
  readonly displayName: string;
  /** null: the room takes any label. */
  readonly labels: readonly string[] | null;
  readonly usesSecureUrls: boolean;
  readonly hasWelcomePage: boolean;
  /** One sentence when the label file cannot be used, else null. */
  readonly problem: string | null;
};

/** A room that is edited in the panel; it takes the place of one of the same name in settings.py. */
export type EditedRoom = Pick<Room, 'name' | 'displayName' | 'labels' | 'usesSecureUrls'>;

export type SessionConfig = {
  readonly name: string;
  readonly displayName: string;
  readonly appSequence: readonly string[];
  readonly numDemoParticipants: number;
  /** Left out: it was deployed by a panel that did not look for it. */
  readonly mturk?: MturkOffer;
};

/** What a session config would say to MTurk, not judged yet. */
export type MturkOffer = {
  /** `mturk_hit_settings`; what JSON has not stands there as Python writes it. Null: the config has none; a text, a list: it is no dict. */
  readonly hit: unknown;
  /** The reward, in `currency`; null: no number. */
  readonly participationFee: number | null;
  /** REAL_WORLD_CURRENCY_CODE. */
  readonly currency: string;
};

/** What settings.py says, read in the instance's own environment as its own user. */
export type ProjectDescription = {
  readonly otreeVersion: string;
  readonly pythonVersion: string;
  readonly adminUsername: string;
  readonly sessionConfigs: readonly SessionConfig[];
  readonly rooms: readonly Room[];
};
