// Who may do what: the one table of roles and actions, read by the server, the worker and the page.

/** How a person stands to one instance, strongest first. */
export const standings = ['manager', 'owner', 'operate', 'view', 'stranger'] as const;
export type Standing = (typeof standings)[number];

export const roles = ['manager', 'experimenter'] as const;
export type Role = (typeof roles)[number];

/** Actions on the panel as a whole: which roles may, `anyone` includes people who are not signed in. */
export const panelActions = {
  'panel.look': ['anyone'],
  'session.create': ['anyone'],
  'session.delete': ['anyone'],
  'me.read': ['manager', 'experimenter'],
  'me.change-password': ['manager', 'experimenter'],
  'ssh-keys.manage-own': ['manager', 'experimenter'],
  'instances.list': ['manager', 'experimenter'],
  'instances.create': ['manager'],
  'instances.adopt': ['manager'],
  'jobs.list': ['manager', 'experimenter'],
  'jobs.cancel': ['manager', 'experimenter'],
  'instances.list-deleted': ['manager'],
  'people.list': ['manager'],
  'people.create': ['manager'],
  'people.change': ['manager'],
  'system.read': ['manager'],
  'people.delete': ['manager'],
  'people.make-link': ['manager'],
  'link.use': ['anyone'],
  'me.change-profile': ['manager', 'experimenter'],
  'me.manage-requester-key': ['manager', 'experimenter'],
  'courses.manage': ['manager'],
  'mail.test': ['manager'],
  'legal.change': ['manager'],
  'system.check': ['manager'],
  'certificates.try': ['manager'],
  'hosts.manage': ['manager'],
  'about.read': ['manager', 'experimenter'],
} as const satisfies Record<string, readonly (Role | 'anyone')[]>;

/** Actions on one instance: which standings may. Whoever may not even `instance.read` is answered 404. */
export const instanceActions = {
  'instance.read': ['manager', 'owner', 'operate', 'view'],
  'instance.read-logs': ['manager', 'owner'],
  'instance.reveal-password': ['manager', 'owner', 'operate'],
  'instance.operate': ['manager', 'owner', 'operate'],
  'instance.change': ['manager', 'owner'],
  'instance.push': ['manager', 'owner'],
  'instance.fetch': ['manager', 'owner'],
  'instance.start': ['manager', 'owner'],
  'instance.stop': ['manager', 'owner'],
  'instance.restart': ['manager', 'owner'],
  'instance.set-admin-password': ['manager', 'owner'],
  'instance.reset-database': ['manager', 'owner'],
  'instance.back-up': ['manager', 'owner'],
  'instance.download-backup': ['manager', 'owner'],
  'instance.delete-backup': ['manager', 'owner'],
  'instance.restore': ['manager', 'owner'],
  'instance.roll-back': ['manager', 'owner'],
  'instance.cancel-job': ['manager', 'owner'],
  'instance.deploy-sample': ['manager', 'owner'],
  'instance.deploy': ['manager', 'owner'],
  'instance.delete': ['manager'],
  'instance.share': ['manager', 'owner'],
  'instance.hand-over': ['manager', 'owner'],
  'instance.read-environment': ['manager', 'owner'],
  'instance.set-environment': ['manager', 'owner'],
  'instance.scale': ['manager'],
  'instance.write-notes': ['manager', 'owner', 'operate'],
  // As a restart: links that others have handed out hang on it.
  'instance.change-address': ['manager', 'owner'],
  'instance.run-bots': ['manager', 'owner'],
  'instance.export-data': ['manager', 'owner', 'operate'],
} as const satisfies Record<string, readonly Standing[]>;

export type PanelAction = keyof typeof panelActions;
export type InstanceAction = keyof typeof instanceActions;
export type Action = PanelAction | InstanceAction;

export const isInstanceAction = (action: Action): action is InstanceAction => Object.hasOwn(instanceActions, action);

/** Whether a role (null: not signed in) may do this on the panel. */
export function canOnPanel(role: Role | null, action: PanelAction): boolean {
  const allowed: readonly (Role | 'anyone')[] = panelActions[action];
  return allowed.includes('anyone') || (role !== null && allowed.includes(role));
}

/** Whether somebody of this standing may do this to the instance. */
export function canOnInstance(standing: Standing, action: InstanceAction): boolean {
  const allowed: readonly Standing[] = instanceActions[action];
  return allowed.includes(standing);
}
