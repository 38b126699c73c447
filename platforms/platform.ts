// THE interface of a platform: where instances run. Every adapter passes the same contract suite (tests/contract).

import type { Readable } from 'node:stream';
import type { MeasureName } from '../contracts/metrics.ts';
import type { Adoption } from './adoption.ts';
import type { Moving } from './moving.ts';
import type { HostReport, PlatformHosts } from './hosts.ts';
import type { FrontView, FrontWish } from './own-front.ts';
import type { BuildRequest, BuiltRelease, Trial } from './release.ts';
import type { EditedRoom } from './project.ts';
import type { Secret } from './secret.ts';

/** Everything an adapter must know about one instance; made by the domain from the instance's row, secrets opened late. */
export type InstanceSpec = {
  /** 12 characters `[a-z0-9]`; names folders, database, role, service. Never the instance's name. */
  readonly instanceId: string;
  /** Operating-system user id of this instance when the platform separates by user ids, else null. */
  readonly osUserId: number | null;
  /** Host name under which people reach it, on a platform that has a front door of its own; null: the panel's front door, or what the platform gives by itself. */
  readonly hostName: string | null;
  /** What every address of oTree begins with, `/otree/NAME`; empty: nothing. */
  readonly pathPrefix: string;
  /** Name of oTree's session cookie for this instance. */
  readonly cookieName: string;
  /** Password of the instance's own database role. */
  readonly databasePassword: Secret;
  readonly adminPassword: Secret;
  /** oTree's SECRET_KEY: signs cookies. */
  readonly secretKey: Secret;
  /** Makes the hashes of secure room links; stays when the admin password changes. */
  readonly roomSecret: Secret;
  /** Value of OTREE_REST_KEY. */
  readonly restKey: Secret;
  /** Further environment of the experiment (OTREE_AUTH_LEVEL, OTREE_PRODUCTION, the owner's own variables). */
  readonly environment: Readonly<Record<string, Secret>>;
  /** Session config field → completion link, for every session config (launcher/session_fields.py). */
  readonly sessionFields: Readonly<Record<string, string>>;
  readonly limits: { readonly memoryMib: number; readonly diskMib: number; readonly processes: number };
};

/** What is enough to look at an instance: everything but what only a start needs. */
export type InstanceAccess = Omit<InstanceSpec, 'environment' | 'sessionFields'>;

/** What the platform sees of one instance. `absent`: never created or destroyed; `unknown`: nobody can look just now, the numbers are those seen last. */
export type Observation = {
  readonly state: 'unknown' | 'absent' | 'stopped' | 'starting' | 'running' | 'unhealthy' | 'crashed';
  readonly detail: string | null;
  readonly exitCode: number | null;
  readonly restarts: number;
  /** Resident memory of all its processes, bytes; null when not running, or when the platform cannot tell. */
  readonly memoryBytes: number | null;
  /** Processor time of all its processes since they began, seconds; left out when the platform cannot tell. */
  readonly cpuSeconds?: number;
  /** What its files take of its disk share, bytes, at most half a minute old; null when it was not measured. */
  readonly diskBytes: number | null;
  /** Whether its data are on a database server that is nobody else's, where the platform knows both; left out elsewhere. */
  readonly hasOwnDatabaseServer?: boolean;
  /** Name of the host that it runs on, where there are several; left out where there is one only, and when it runs on none or nobody can tell. */
  readonly host?: string;
  /** Number of web processes that answer: 0 or 1 (oTree ≥ 5 knows no more). */
  readonly webProcesses: number;
  readonly startedAt: Date | null;
};

export type Dump = {
  readonly sizeBytes: number;
  /** SHA-256 of the file, hex. */
  readonly sha256: string;
  /** Table → rows, counted in the same snapshot as the dump. */
  readonly rowCounts: Readonly<Record<string, number>>;
};

/** One participant of a session that is not a demo, as oTree's tables say (read-only). */
export type ParticipantRow = {
  readonly sessionCode: string;
  /** Room in which the session is open, null when in none. */
  readonly room: string | null;
  readonly label: string | null;
  /** Page the participant is on, from 1; 0 before the first; of `maxPageIndex`. */
  readonly pageIndex: number;
  readonly maxPageIndex: number;
  readonly hasStarted: boolean;
  readonly isFinished: boolean;
  /** When the participant last asked for a page, null before. */
  readonly lastPageAt: Date | null;
};

export type OtreeRequest = {
  readonly method: 'GET' | 'POST';
  /** Path of oTree's own HTTP interface, for example `/api/rooms`. */
  readonly path: string;
  readonly body?: unknown;
  readonly timeoutMs: number;
};

/** An answer of oTree that may be large: its body is read as it comes, and read to its end or destroyed by whoever asked. */
export type OpenedAnswer = { readonly status: number; readonly body: Readable };

/** One play of the project's own bots (`tests.py`). */
export type BotsRun = {
  readonly releaseNumber: number;
  /** Name of a session config. */
  readonly config: string;
  /** null: as many as the config's demo has. */
  readonly participants: number | null;
  /** File (`.tar.gz`, mode 0600) that gets the CSV files of what the bots did; null: nothing is kept. */
  readonly exportTo: string | null;
  readonly signal: AbortSignal;
  readonly onOutput: (text: string) => void;
};

/** A piece of the runtime log. */
export type LogPiece = {
  readonly text: string;
  /** Where the next piece begins. */
  readonly position: string;
  /** Text between the asked position and this piece is no longer kept. */
  readonly hasGap: boolean;
};

/** What a platform lacks is said here and shown in the page, never found out by surprise. */
export type Capabilities = {
  readonly memoryLimit: boolean;
  readonly diskLimit: boolean;
  readonly separatesUsers: boolean;
  /** Whether `playBots` works here. */
  readonly playsBots: boolean;
  /** Which numbers of a `Usage` it can tell. */
  readonly measures: readonly MeasureName[];
  /** One sentence for people about how well instances are kept apart. */
  readonly isolationNote: string;
};

/** What one running instance uses; a number that its platform cannot tell is null. */
export type Usage = {
  /** Names the run of its processes: with another one the counters began at nothing. */
  readonly run: string;
  /** Resident memory of all its processes, bytes. */
  readonly memoryBytes: number | null;
  /** Counter: processor time of its processes, seconds. */
  readonly cpuSeconds: number | null;
  /** Counters: bytes over a network of its own; what comes by the front door is not among them. */
  readonly network: { readonly receivedBytes: number; readonly sentBytes: number } | null;
  /** When the counters stood so, where that was some seconds ago; left out: now. */
  readonly countedAt?: Date;
};

/**
 * Contract for all methods: idempotent (a second call after a crash in the middle completes the work), abortable,
 * serialised per instance by the caller's job lock. Errors are `AppError`s; anything else is a bug.
 * Timeouts are the adapter's own and named in each method.
 */
export interface Platform {
  readonly kind: 'local' | 'swarm' | 'dokku' | 'fake';
  /** Experiments that run there without the panel; null: there can be none. */
  readonly adoption: Adoption | null;
  /** Other platforms of this machine that instances can be moved to and from; null: there are none. */
  readonly moving: Moving | null;
  /** The machines on which it runs instances; null: it knows of one only. */
  readonly hosts: PlatformHosts | null;
  capabilities(): Promise<Capabilities>;

  /** How the machine is on which instances run, asked now; never throws. null: that is this machine. */
  lookAtHost(): Promise<HostReport | null>;

  /** Makes folders, user, empty database and role. May be called in any state; existing data are kept. @throws platform_failed, database_unreachable, disk_full */
  create(spec: InstanceSpec, signal: AbortSignal): Promise<void>;

  /** Writes the instance's environment; takes effect at the next `start`. */
  configure(spec: InstanceSpec): Promise<void>;

  /**
   * Hands over all rooms that are edited in the panel (none: only those of settings.py are left). After `create` in any
   * state; a running oTree knows them from its next request on, without a restart, and every later start, release and
   * restart of the machine keeps them. Who waits in a removed room can leave it. @throws platform_failed
   */
  setRooms(spec: InstanceAccess, rooms: readonly EditedRoom[]): Promise<void>;

  /** Builds a release beside the running one, which it leaves alone (limit 15 minutes). @throws the codes of `contracts/errors.ts` under “builds” */
  build(spec: InstanceSpec, request: BuildRequest): Promise<BuiltRelease>;

  /**
   * Starts a built release privately on a scratch database until its `/login` answers 200, then removes both (limit 60 s).
   * Before that it compares the tables that the release made there with those of the live database, by PostgreSQL's own
   * catalogues: what a project prints about itself need not be believed, and oTree's version or field types need not be known.
   * @returns the gaps; none when the live database has no tables yet
   * @throws trial_failed, module_missing, syntax_error, otree_check, path_not_supported, template_missing
   */
  tryRelease(spec: InstanceSpec, releaseNumber: number, io: { signal: AbortSignal; onOutput: (text: string) => void }): Promise<Trial>;

  /** Makes this release the one that the next `start` runs. Atomic; does not start or stop anything. */
  selectRelease(spec: InstanceSpec, releaseNumber: number): Promise<void>;

  /** Starts the selected release and waits until `/login` answers (limit 60 s); when it runs already, only waits. @throws not_deployed, start_failed, module_missing, syntax_error, otree_check, path_not_supported */
  start(spec: InstanceSpec, signal: AbortSignal): Promise<void>;

  /** Stops every process of the instance and waits until they are gone (grace 10 s, then killed). Stopped already: returns. */
  stop(spec: Pick<InstanceSpec, 'instanceId' | 'osUserId'>, signal: AbortSignal): Promise<void>;

  /** Never throws for a single instance; unknown ids are `absent`. One call for all, ≤ 2 s. */
  observe(instanceIds: readonly string[]): Promise<ReadonlyMap<string, Observation>>;

  /**
   * What those of them use that run just now; the others, and those that cannot be looked at, are left out. Never throws.
   * One call for all, ≤ 5 s; asked once a minute.
   */
  measure(instanceIds: readonly string[]): Promise<ReadonlyMap<string, Usage>>;

  /** The Unix socket where the panel's front door finds it, whether or not it runs; null: the platform has a front door of its own, and the panel's shows nothing for it. */
  upstreamSocket(instanceId: string): string | null;

  /**
   * Makes the platform's own front door show a running instance under its host name, with this certificate, without a new
   * deployment (limit 5 minutes); nothing is changed where it is so already. null: the panel's front door is the only one.
   * @throws host_name_taken, platform_failed
   */
  keepFront(wish: FrontWish, signal: AbortSignal): Promise<FrontView | null>;

  /** Asks oTree itself, with the REST key. @throws not_running when nothing answers */
  askOtree(spec: InstanceAccess, request: OtreeRequest): Promise<{ readonly status: number; readonly body: string }>;

  /**
   * As `askOtree` with GET, for answers of any size: nothing of the body is kept. `timeoutMs` is for its beginning and for
   * every pause in it. @throws not_running when nothing answers, platform_timeout
   */
  openOtree(spec: InstanceAccess, request: Pick<OtreeRequest, 'path' | 'timeoutMs'>): Promise<OpenedAnswer>;

  /**
   * Plays the project's bots with `otree test`, in memory, in the release's environment, as the instance's user and within
   * its limits: neither the live database nor the running experiment is touched (limit 10 minutes). Only where the
   * capability `playsBots` says so. @throws bots_failed, bots_missing, module_missing, syntax_error, otree_check, platform_timeout, platform_failed
   */
  playBots(spec: InstanceSpec, run: BotsRun): Promise<void>;

  /** Row counts and size of the instance's database, read-only, ≤ 2 s. */
  databaseFacts(spec: InstanceAccess): Promise<{ readonly sizeBytes: number; readonly rowCounts: Readonly<Record<string, number>> }>;

  /** Everybody in sessions that are not demos, at most 5,000, newest sessions first; empty when there are no tables yet; ≤ 2 s. @see oTree 6.0 models/participant.py: otree_participant(visited, _index_in_pages, _max_page_index, _last_page_timestamp), otree_session(is_demo), otree_roomtosession */
  participants(spec: InstanceAccess): Promise<readonly ParticipantRow[]>;

  /** Writes `pg_dump -Fc` of the instance's database to `file` (mode 0600), with row counts of the same snapshot. @throws backup_failed */
  dumpDatabase(spec: InstanceAccess, file: string, signal: AbortSignal): Promise<Dump>;

  /** Restores `file` into a scratch database, counts its rows, drops it again. @throws backup_failed when it cannot be restored */
  verifyDump(spec: InstanceAccess, file: string, signal: AbortSignal): Promise<Readonly<Record<string, number>>>;

  /**
   * Replaces the instance's database by what `dump.file` holds. Only on a stopped instance (limit 15 minutes). The file is
   * restored into a fresh database beside the old one, its rows are counted, and only when they equal `dump.rowCounts` the
   * two change places, in one transaction; connections to the old one are ended. Whatever fails before, an abort and a
   * crash included, leaves the old data in place. Afterwards the instance's own role owns everything in it.
   * @throws restore_failed, database_unreachable
   */
  restoreDatabase(spec: InstanceSpec, dump: Pick<Dump, 'rowCounts'> & { readonly file: string }, signal: AbortSignal): Promise<void>;

  /** Drops every table and lets oTree create them anew (`otree resetdb`). Only on a stopped instance. @throws platform_failed */
  resetDatabase(spec: InstanceSpec, io: { signal: AbortSignal; onOutput: (text: string) => void }): Promise<void>;

  /** The last `maxBytes` of the instance's runtime log; empty when there is none. */
  readLog(instanceId: string, maxBytes: number): Promise<string>;

  /**
   * What was written to the runtime log after a position, at most `maxBytes`; without a position, or when it lies in a
   * part that is gone, the end. Positions survive the turning over of the log and are only good for this method.
   */
  readLogFrom(instanceId: string, from: { readonly position: string | null; readonly maxBytes: number }): Promise<LogPiece>;

  /** The whole runtime log that is kept, oldest first, as a stream of bytes; empty when there is none. */
  openLog(instanceId: string): Readable;

  /** Removes built releases except those named. */
  pruneReleases(spec: InstanceSpec, keep: readonly number[]): Promise<void>;

  /** Another platform took its place: what it keeps open is closed once nothing runs on it. Who asks it later is answered all the same. */
  retire(): void;

  /** Removes processes, files, database, role. Backups are the caller's. Absent already: returns. */
  destroy(spec: Pick<InstanceSpec, 'instanceId' | 'osUserId'>, signal: AbortSignal): Promise<void>;
}
