// Saving and removing rooms of the panel, and reading labels from a file.

import { useMutation, useQueryClient, type UseMutationResult } from '@tanstack/react-query';
import type { z } from 'zod';
import { savedRoomSchema, type PutRoom } from '../contracts/rooms.ts';
import { instanceApi } from './addresses.ts';
import { request, send } from './api.ts';

export type SavedRoom = z.infer<typeof savedRoomSchema>;

export const roomApi = (instance: string, room: string, rest = ''): string => instanceApi(instance, `/rooms/${encodeURIComponent(room)}${rest}`);

/** Also after a refusal the instance is read again: somebody else may have changed the room. */
export function useSaveRoom(instance: string): UseMutationResult<SavedRoom, Error, PutRoom & { name: string }> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ name, ...body }: PutRoom & { name: string }) => request(savedRoomSchema, roomApi(instance, name), { method: 'PUT', body }),
    networkMode: 'always',
    onSettled: () => client.invalidateQueries({ queryKey: ['instance', instance] }),
  });
}

export function useRemoveRoom(instance: string, room: string): UseMutationResult<void, Error, { since: string; isConfirmed: boolean }> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ since, isConfirmed }: { since: string; isConfirmed: boolean }) => {
      await send(roomApi(instance, room, `?since=${encodeURIComponent(since)}&isConfirmed=${String(isConfirmed)}`), { method: 'DELETE' });
    },
    networkMode: 'always',
    onSettled: () => client.invalidateQueries({ queryKey: ['instance', instance] }),
  });
}

/** The text of a file as spreadsheets and editors save it: UTF-8, or UTF-16 when its first bytes say so. */
export async function readTextFile(file: Blob): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const [first, second] = bytes;
  const encoding = first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
  return new TextDecoder(encoding).decode(bytes);
}
