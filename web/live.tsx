// The live line to the server: one socket per signed-in page, its events, and the light in the header.

import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { createContext, useContext, useEffect, useState, type ReactNode } from 'react';
import { io, type Socket } from 'socket.io-client';
import type { ClientEvents, ServerEvents } from '../contracts/events.ts';
import { rememberInstance, rememberJob, rememberSeats } from './live-cache.ts';
import { notificationOf, notify } from './notifications.ts';

type LiveSocket = Socket<ServerEvents, ClientEvents>;
type Live = { readonly socket: LiveSocket | null; readonly isLive: boolean };

const LiveContext = createContext<Live>({ socket: null, isLive: false });

/** Whether events arrive at this moment. */
export const useIsLive = (): boolean => useContext(LiveContext).isLive;

/** Asks for the events of one instance as long as its page is open, again after every reconnect. */
export function useWatch(name: string): void {
  const { socket, isLive } = useContext(LiveContext);
  useEffect(() => {
    if (socket === null || !isLive) return undefined;
    socket.emit('watch', name, () => undefined);
    return () => void socket.emit('unwatch', name);
  }, [socket, isLive, name]);
}

/** Holds the socket of this person; another person gets another one. */
export function LiveLine({ personId, children }: { personId: string; children: ReactNode }): ReactNode {
  const client = useQueryClient();
  const [live, setLive] = useState<Live>({ socket: null, isLive: false });
  useEffect(() => {
    const socket: LiveSocket = io({ path: '/socket.io', reconnectionDelayMax: 4_000 });
    listen(socket, client);
    socket.on('connect', () => setLive({ socket, isLive: true }));
    socket.on('disconnect', () => setLive({ socket, isLive: false }));
    return () => void socket.disconnect();
  }, [personId, client]);
  return <LiveContext.Provider value={live}>{children}</LiveContext.Provider>;
}

function listen(socket: LiveSocket, client: QueryClient): void {
  // whatever happened while the line was down is read again
  socket.on('connect', () => void client.invalidateQueries());
  socket.on('disconnect', (reason) => {
    if (reason === 'io server disconnect') {
      void client.invalidateQueries({ queryKey: ['me'] });
      window.setTimeout(() => socket.connect(), 2_000);
    }
  });
  socket.on('connect_error', () => {
    if (!socket.active) window.setTimeout(() => socket.connect(), 3_000);
  });
  socket.on('instance', (event) => rememberInstance(client, event));
  socket.on('job', (job) => {
    rememberJob(client, job);
    const told = notificationOf(job);
    if (told) notify(told);
  });
  // never cancelling: ten of these a second would starve a slow line; the answer reads to the end anyway
  socket.on('job-log', ({ jobId }) => void client.invalidateQueries({ queryKey: ['job-log', jobId] }, { cancelRefetch: false }));
  socket.on('seats', (event) => rememberSeats(client, event));
  socket.on('people', () => {
    for (const noun of ['people', 'courses', 'course']) void client.invalidateQueries({ queryKey: [noun] });
  });
}
