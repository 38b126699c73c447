// The texts of the service: two systemd units, or a supervisord file and an init script where there is no systemd. Pure.

/** What every text needs. */
export type ServicePlace = {
  /** The checkout. */
  readonly root: string;
  readonly node: string;
  /** The settings as they were given at the installation, NAME='value' a line (node --env-file). */
  readonly envFile: string;
  /** PATH for npm and the tools. */
  readonly path: string;
  readonly dataDir: string;
  readonly toolsDir: string;
  readonly pidFile: string;
  readonly socket: string;
};

export const unitNames = { ground: 'arboretum-ground.service', panel: 'arboretum.service' } as const;

const argvOf = ({ node, envFile, root }: ServicePlace, command: string): string[] => [node, `--env-file=${envFile}`, `${root}/scripts/start.mjs`, command];

/** systemd reads % as an expansion and $ as a variable; quotes keep blanks together. */
const systemdQuote = (text: string): string => `"${text.replaceAll('%', '%%').replaceAll('$', '$$$$').replace(/["\\]/g, '\\$&')}"`;
const systemdLine = (argv: readonly string[]): string => argv.map(systemdQuote).join(' ');

const unitEnd = (place: ServicePlace): string => `Environment=${systemdQuote(`PATH=${place.path}`)}
WorkingDirectory=${place.root.replaceAll('%', '%%')}
Restart=always
RestartSec=2
# A wrong setting does not get better by trying again.
RestartPreventExitStatus=78
# Only the main process is told: it stops its own in order, and what experiments need outlives it.
KillMode=process
TimeoutStopSec=90

[Install]
WantedBy=multi-user.target
`;

/** PostgreSQL, nginx, supervisord with the experiments: stopped only when this unit is stopped (or at a shutdown). */
export const groundUnit = (place: ServicePlace): string => `# Written by “npm run install-service” of Arboretum.
[Unit]
Description=Arboretum: database, front door and experiments
After=network-online.target local-fs.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=all
TimeoutStartSec=infinity
ExecStart=${systemdLine(argvOf(place, 'ground'))}
# Not run when the keeper crashes or is killed: then everything goes on and the keeper comes back.
ExecStop=${systemdLine(argvOf(place, 'stop-ground'))}
${unitEnd(place)}`;

/** Server, worker, Redis. */
export const panelUnit = (place: ServicePlace): string => `# Written by “npm run install-service” of Arboretum.
[Unit]
Description=Arboretum: the control panel
Requires=${unitNames.ground}
After=${unitNames.ground}
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=${systemdLine(argvOf(place, 'start'))}
${unitEnd(place)}`;

/** Without systemd: a supervisord of its own, beside the one of the experiments, keeps `npm start`, which keeps the ground. */
export function supervisorConfig(place: ServicePlace): string {
  const quote = (text: string): string => `"${text.replaceAll('%', '%%').replace(/["\\]/g, '\\$&')}"`;
  return `; Written by “npm run install-service” of Arboretum.
[unix_http_server]
file=${place.socket}
chmod=0700
[supervisord]
logfile=${place.dataDir}/logs/service.log
logfile_maxbytes=10MB
logfile_backups=3
pidfile=${place.pidFile}
directory=/
user=root
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://${place.socket}
[program:arboretum]
command=${argvOf(place, 'start').map(quote).join(' ')}
directory=${place.root.replaceAll('%', '%%')}
environment=PATH=${quote(place.path)}
autostart=true
autorestart=true
startsecs=5
startretries=1000000
exitcodes=78
stopsignal=TERM
stopwaitsecs=90
stdout_logfile=NONE
redirect_stderr=true
`;
}

/** Runs at boot where init scripts are run; in a container, its entry point calls “service arboretum start”. */
export const initScript = (place: ServicePlace): string => `#!/bin/sh
# Written by “npm run install-service” of Arboretum.
### BEGIN INIT INFO
# Provides:          arboretum
# Required-Start:    $local_fs $network $remote_fs
# Required-Stop:     $local_fs $network $remote_fs
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: Arboretum, the control panel for oTree labs
### END INIT INFO
CONFIG='${place.dataDir}/service/supervisord.conf'
BIN='${place.toolsDir}/bin'
control() { "$BIN/supervisorctl" -c "$CONFIG" "$@"; }
start() {
  if control pid >/dev/null 2>&1; then echo "arboretum is running"; return 0; fi
  mkdir -p '${place.pidFile.replace(/\/[^/]*$/, '')}'
  "$BIN/supervisord" -c "$CONFIG" && echo "arboretum started"
}
stop() {
  control pid >/dev/null 2>&1 || { echo "arboretum is not running"; return 0; }
  control stop arboretum
  control shutdown
}
case "$1" in
  start) start ;;
  # Experiments go on; “npm run stop-all” ends those as well.
  stop) stop ;;
  restart|force-reload) stop; while control pid >/dev/null 2>&1; do sleep 1; done; start ;;
  status) control status ;;
  *) echo "Usage: $0 {start|stop|restart|status}"; exit 2 ;;
esac
`;
