// What git starts in the place of ssh: passes its words on to a Unix socket of the panel, which knows where they go.
// Plain JavaScript without packages, because git starts it by node's own binary.

import { connect } from 'node:net';
import { argv, exit, stdin, stdout } from 'node:process';

const socket = connect({ path: argv[2], allowHalfOpen: true });
socket.on('error', () => exit(1));
socket.on('close', () => exit(0));
stdin.pipe(socket).pipe(stdout);
