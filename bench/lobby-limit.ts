// What the Lobby is compared with: raw `ws`, one INSERT a click before its acknowledgement, one message a click to every screen.
// A process of its own; its parent sends the PostgreSQL URL, and gets the port.

import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRequire } from 'node:module';
import pg from 'pg';

type Socket = { send(text: string): void; on(event: 'message', listener: (data: Buffer) => void): void; on(event: 'close', listener: () => void): void };
type WebSocketServer = new (options: { server: http.Server }) => { on(event: 'connection', listener: (socket: Socket) => void): void };

// What socket.io itself stands on.
const socketIo = createRequire(import.meta.resolve('socket.io'));
const { WebSocketServer: Server } = createRequire(socketIo.resolve('engine.io'))('ws') as { WebSocketServer: WebSocketServer };

process.once('message', (url: string) => {
  const pool = new pg.Pool({ connectionString: url, max: 10 });
  const server = http.createServer();
  const sockets = new Set<Socket>();
  new Server({ server }).on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('message', (data) => {
      const { label, show } = JSON.parse(data.toString()) as { label: string; show: boolean };
      void pool.query('INSERT INTO limit_seat (label, at) VALUES ($1, now()) ON CONFLICT DO NOTHING', [label]).then(() => {
        socket.send(JSON.stringify({ acknowledged: label }));
        if (show) for (const other of sockets) other.send(JSON.stringify({ shown: label }));
      });
    });
  });
  void pool.query('CREATE TABLE IF NOT EXISTS limit_seat (label text PRIMARY KEY, at timestamptz)').then(() => {
    server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
  });
});
