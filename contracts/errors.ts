// One table of everything that can go wrong in a way we expect: code → HTTP status, sentence, hint.

import { buildErrors, type ErrorEntry } from './build-errors.ts';
import { certificateErrors } from './certificate-errors.ts';
import { platformErrors } from './platform-errors.ts';

/** Sentence = what happened; hint = what to do now. `{name}` is filled from the error's details. */
export const errorTable = {
  // who asks
  sign_in_required: { status: 401, sentence: 'You are not signed in.', hint: 'Sign in and try again.' },
  sign_in_failed: { status: 401, sentence: 'This name and password do not go together.', hint: 'Check both, or ask a lab manager to set a new password.' },
  too_many_attempts: { status: 429, sentence: 'Too many attempts in a short time.', hint: 'Wait {minutes} minutes, then try again.' },
  not_found: {
    status: 404,
    sentence: 'There is nothing at this address, or it is not yours to see.',
    hint: 'Check the address, or ask the owner to share it with you.',
  },
  not_allowed: { status: 403, sentence: 'You may see this, but not do that.', hint: 'Ask the owner or a lab manager.' },
  foreign_origin: { status: 403, sentence: 'This request came from another web site.', hint: 'Open the panel itself and try again there.' },
  csrf_failed: { status: 403, sentence: 'This page is older than your sign-in.', hint: 'Reload the page and try again.' },
  link_used: {
    status: 410,
    sentence: 'This one-time link has been used or has run out.',
    hint: 'Start the panel again: it prints a new link as long as there is no manager.',
  },
  // what was sent
  invalid_input: { status: 400, sentence: 'Something in this form is not right.', hint: 'See the remarks at the fields.' },
  malformed_request: { status: 400, sentence: 'This request could not be read.', hint: 'Send JSON with the header Content-Type: application/json.' },
  payload_too_large: { status: 413, sentence: 'This request is too large.', hint: 'Send less at once.' },
  name_taken: { status: 409, sentence: 'There is already an instance called “{name}”.', hint: 'Choose another name.' },
  user_name_taken: { status: 409, sentence: 'There is already a person with the user name “{userName}”.', hint: 'Choose another user name.' },
  email_taken: { status: 409, sentence: 'There is already a person with the e-mail address “{email}”.', hint: 'Choose another address.' },
  wrong_password: { status: 400, sentence: 'The present password is not right.', hint: 'Type it again.' },
  last_manager: { status: 409, sentence: 'This is the last manager.', hint: 'Make somebody else a manager first.' },
  key_invalid: { status: 400, sentence: 'This is not a public SSH key that can be used here.', hint: '{reason}' },
  key_taken: { status: 409, sentence: 'This key belongs to an account already.', hint: 'Use another key, or remove it there first.' },
  owner_unknown: { status: 400, sentence: 'There is no such person, or the account is disabled.', hint: 'Choose another owner.' },
  link_dead: {
    status: 410,
    sentence: 'This link has been used already or has run out.',
    hint: 'Ask a lab manager for a new one, or ask for one under “Forgotten password”.',
  },
  person_changed: {
    status: 409,
    sentence: '{who} has changed this person {when}, after you opened this form.',
    hint: 'Close this form and open it again: it shows the present values. Then make your change.',
  },
  person_owns_instances: {
    status: 409,
    sentence: '{name} owns {instances}.',
    hint: 'Hand these instances over to somebody else, or delete them, then delete the person.',
  },
  mail_off: { status: 409, sentence: 'This panel sends no mails.', hint: 'Set SMTP_URL, MAIL_FROM and PUBLIC_URL and start the panel again.' },
  mail_failed: { status: 502, sentence: 'The mail could not be sent: {reason}', hint: 'Check SMTP_URL and MAIL_FROM, then try again.' },
  course_incomplete: {
    status: 500,
    sentence: '{failed} of {total} people could not be done.',
    hint: 'The steps in red say why. Correct it, then do the same again: what is done already is left alone.',
  },
  course_list: { status: 400, sentence: 'Some lines of this list need a look.', hint: 'See the remark at each line.' },
  text_changed: {
    status: 409,
    sentence: '{who} has saved another text {when}, after you opened this page.',
    hint: 'Copy your text, reload the page, and put your changes in again.',
  },
  person_unknown: {
    status: 400,
    sentence: 'Nobody here has this user name or e-mail address, or the account is disabled.',
    hint: 'Type it exactly as your colleague signs in.',
  },
  owns_already: { status: 409, sentence: '{name} owns this instance already.', hint: 'Choose somebody else.' },
  variable_reserved: { status: 400, sentence: '{name} cannot be set here: {reason}', hint: 'Choose another name, or leave it out.' },
  too_many_variables: { status: 409, sentence: 'An instance has at most {limit} variables.', hint: 'Remove some that nobody uses.' },
  notes_changed: {
    status: 409,
    sentence: '{who} changed these notes at {when}, after you had opened them.',
    hint: 'Your text is still in the field. Take over what you want to keep of theirs, then save again.',
  },
  // what the state of things does not allow
  job_in_progress: { status: 409, sentence: '“{kind}” is under way on this instance, started by {actor}.', hint: 'Wait until it has ended.' },
  not_deployed: { status: 409, sentence: 'There is no experiment on this instance yet.', hint: 'Push a project first.' },
  not_running: { status: 409, sentence: 'The experiment is not running.', hint: 'Start it first.' },
  confirmation_missing: { status: 400, sentence: 'This was not confirmed.', hint: 'Type the name of the instance to confirm.' },
  people_in_session: {
    status: 409,
    sentence: '{count} people are in a session of this instance.',
    hint: 'Wait until they have finished, or go on with a reason.',
  },
  room_unknown: {
    status: 404,
    sentence: 'This instance has no room “{room}”.',
    hint: 'Rooms come from ROOMS in the project’s settings.py, or are made under “Rooms & Lobby”.',
  },
  room_changed: {
    status: 409,
    sentence: '{who} changed this room {when}, after you began.',
    hint: 'What you typed is still here. Look at the other version, or save yours over it.',
  },
  room_of_project: {
    status: 409,
    sentence: 'The room “{room}” stands in the project’s settings.py.',
    hint: 'Take it out there and push, or edit it here to replace it.',
  },
  recruiting_changed: {
    status: 409,
    sentence: '{who} has changed how people are recruited here {when}, after you began.',
    hint: 'Copy what you typed, reload the page, and put it in again.',
  },
  session_unknown: { status: 404, sentence: 'oTree has no session “{code}”.', hint: 'Choose one that is there, or create it first.' },
  requester_key_missing: { status: 409, sentence: 'You have entered no MTurk requester keys yet.', hint: 'Enter them first, then try again.' },
  file_refused: { status: 422, sentence: '{reason}', hint: '{hint}' },
  people_on_seats: {
    status: 409,
    sentence: '{count} people sit on seats that would go: {labels}.',
    hint: 'Who plays goes on, but cannot come back by their link. Who waits finds no seat.',
  },
  label_unknown: { status: 404, sentence: 'This room has no seat “{label}”.', hint: 'Check the address, or choose a seat from the list.' },
  seat_taken: { status: 409, sentence: 'This seat has just been taken by another computer.', hint: 'Choose another one.' },
  room_full: { status: 409, sentence: 'Every seat of this room is taken.', hint: 'Ask the experimenter.' },
  backup_gone: { status: 410, sentence: 'The file of this backup is gone.', hint: 'Look into the backups folder of the panel, or take another backup.' },
  service_unavailable: { status: 503, sentence: 'The panel cannot reach its database just now.', hint: 'It tries again by itself; reload in a few seconds.' },
  worker_away: { status: 503, sentence: 'The background worker does not answer.', hint: 'Jobs wait and go on when it is back.' },
  address_not_here: {
    status: 409,
    sentence: 'This kind of address cannot be had here: {reason}',
    hint: 'Choose another kind. docs/addresses.md says what each one needs.',
  },
  address_unchanged: { status: 409, sentence: 'The instance has this address already.', hint: 'Choose another one.' },
  host_name_refused: { status: 409, sentence: '{hostName} cannot be the address of an instance: {reason}', hint: 'Type another host name.' },
  host_name_elsewhere: {
    status: 409,
    sentence: '{seen} The address works once it leads here.',
    hint: '{request}',
  },
  // jobs and platforms
  address_put_back: { status: 500, sentence: '{address} could not be opened, so the address from before is in place again: {reason}', hint: '{hint}' },
  job_interrupted: {
    status: 500,
    sentence: 'The panel was stopped in the middle of this job.',
    hint: 'Look at the state of the instance, then start the job again.',
  },
  job_cancelled: { status: 409, sentence: '{actor} cancelled this job.', hint: 'What ran before was left alone. Start it again when you like.' },
  backup_failed: { status: 500, sentence: 'The backup could not be made or did not pass its check, so nothing was deleted.', hint: '{reason}' },
  restore_failed: {
    status: 500,
    sentence: 'The backup could not be restored, so the data are as they were: {reason}',
    hint: 'Choose another backup, or try again.',
  },
  backup_needed: {
    status: 409,
    sentence: 'This is the only verified backup of an instance whose database has {rows} rows.',
    hint: 'Take another backup first, then delete this one.',
  },
  roll_back_refused: { status: 409, sentence: 'This version cannot be brought back: {reason}', hint: 'Push its commit again; it is then built anew.' },
  too_late_to_cancel: { status: 409, sentence: '“{kind}” is past the point where it can be cancelled.', hint: 'Wait until it has ended.' },
  upload_refused: { status: 422, sentence: '{reason}', hint: '{hint}' },
  instance_not_created: { status: 409, sentence: 'This instance was not fully created.', hint: 'Delete it and create it again.' },
  platform_failed: { status: 500, sentence: 'The platform could not do this: {reason}', hint: 'Try again; if it stays so, look at the panel’s log.' },
  platform_timeout: { status: 504, sentence: '{what} took longer than {seconds} seconds.', hint: 'Look at the log, then try again.' },
  host_last: {
    status: 409,
    sentence: '{name} is the only host that takes instances.',
    hint: 'Let another host take instances first.',
  },
  host_not_down: {
    status: 409,
    sentence: '{name} is there, so it cannot be taken from the list.',
    hint: 'Empty it, type docker swarm leave on it, and come back when it is down.',
  },
  host_unreachable: {
    status: 503,
    sentence: 'The host {host} cannot be reached: {reason}.',
    hint: 'Check that it runs and that SSH passes on port {port}. The panel tries again by itself.',
  },
  host_key_changed: {
    status: 502,
    sentence: 'The host {host} shows another key than before, so nothing was sent to it.',
    hint: 'If it was set up anew, set DOKKU_HOST_KEY to {found} and start the panel again. If not, somebody else may be answering.',
  },
  host_refuses_key: {
    status: 502,
    sentence: 'The host {host} does not accept the panel’s key.',
    hint: 'As root on the host, add the panel’s public key with dokku ssh-keys:add, then try again.',
  },
  host_name_taken: {
    status: 409,
    sentence: 'The app “{app}” on the Dokku host has the address {hostName} already.',
    hint: 'Choose another name, or take the address from that app: dokku domains:remove {app} {hostName}.',
  },
  adoption_refused: {
    status: 409,
    sentence: 'The app “{app}” cannot be taken over: {reason}',
    hint: 'Nothing of it was changed. Put this right on the Dokku host, then look again; or make a new instance and push.',
  },
  outcome_unknown: {
    status: 504,
    sentence: '“{what}” was sent to the host {host}, but how it ended is not known: {reason}.',
    hint: 'Look at the state of the instance first: the host may have done it, or be still at it. Then try again.',
  },
  host_command_failed: { status: 502, sentence: 'The host could not do this: {reason}', hint: 'Its last words: {lastLine}' },
  database_unreachable: { status: 503, sentence: 'The database server does not answer.', hint: 'Start the panel again with npm start.' },
  disk_full: { status: 507, sentence: 'The disk is nearly full: {freeMib} MiB are left.', hint: 'Delete what is not needed, then try again.' },
  start_failed: {
    status: 500,
    sentence: 'The experiment did not answer within {seconds} seconds after its start.',
    hint: 'The last lines of its log say why: {lastLine}',
  },
  otree_request_failed: { status: 502, sentence: 'oTree answered: {reason}', hint: 'Look at the instance’s log.' },
  export_unknown: { status: 404, sentence: 'There is no such export: {what}', hint: 'Reload the page; the list of exports may have changed.' },
  export_failed: { status: 502, sentence: 'oTree could not export this: {reason}', hint: 'The instance’s log says more. Other exports may still work.' },
  export_needs_restart: {
    status: 409,
    sentence: 'This experiment was started before Arboretum could export the data of its oTree.',
    hint: 'Restart it once when nobody plays; the data stay.',
  },
  bots_failed: {
    status: 500,
    sentence: 'The bots did not get through “{config}”: {reason}',
    hint: 'What they did stands in the log above. Correct the app or its tests.py and push.',
  },
  bots_missing: {
    status: 422,
    sentence: 'The app “{app}” has no bots.',
    hint: 'Add a file {app}/tests.py with a class PlayerBot, then push. oTree’s documentation shows one under “Bots”.',
  },
  session_size: { status: 400, sentence: 'oTree refused this session: {reason}', hint: 'Choose another number of participants.' },
  ...buildErrors,
  ...platformErrors,
  ...certificateErrors,
  internal: {
    status: 500,
    sentence: 'Something unexpected happened in the panel.',
    hint: 'Try again; if it stays so, tell a lab manager the request number {requestId}.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorTable;
export type ErrorDetails = Readonly<Record<string, string | number>>;
/** Remark at each field of a form: field name → sentence. */
export type FieldRemarks = Readonly<Record<string, string>>;

const fill = (text: string, details: ErrorDetails): string => text.replace(/\{(\w+)\}/g, (whole, name: string) => String(details[name] ?? whole));

/** Whether a string is a code of the table (rows written by another version may not be). */
export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorTable, code);

/** What a person reads for this code: the table's sentence and hint with the details filled in. */
export const describeError = (code: ErrorCode, details: ErrorDetails = {}): { sentence: string; hint: string } => ({
  sentence: fill(errorTable[code].sentence, details),
  hint: fill(errorTable[code].hint, details),
});

/** The one error class that carries meaning; everything else is a bug and becomes `internal`. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  readonly fields: FieldRemarks | undefined;

  constructor(code: ErrorCode, details: ErrorDetails = {}, extra: { cause?: unknown; fields?: FieldRemarks } = {}) {
    super(describeError(code, details).sentence, extra.cause === undefined ? undefined : { cause: extra.cause });
    this.name = 'AppError';
    this.code = code;
    this.details = details;
    this.fields = extra.fields;
  }

  get status(): number {
    return errorTable[this.code].status;
  }

  get hint(): string {
    return describeError(this.code, this.details).hint;
  }
}

/** Error answer on the wire, `application/problem+json` (RFC 9457). */
export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly hint: string;
  readonly requestId: string;
  readonly fields?: FieldRemarks;
};
