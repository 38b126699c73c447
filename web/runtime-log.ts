// The runtime log in the page: read once from its end, then only what is new; searched on request.

import { useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query';
import { logSearchSchema, runtimeLogSchema, type LogSearch, type RuntimeLogPiece } from '../contracts/logs.ts';
import { instanceApi } from './addresses.ts';
import { request } from './api.ts';

const paceMs = 2_000;
/** The page keeps this much of what it followed; the whole log is a download. */
const keptCharacters = 400_000;
const gapLine = '\n[lines in between are no longer kept]\n';

export type RuntimeLog = { readonly text: string; readonly position: string | null };
const nothing: RuntimeLog = { text: '', position: null };

/** What is known with a further piece of the log. */
export function withPiece(known: RuntimeLog, piece: RuntimeLogPiece): RuntimeLog {
  const text = known.text + (piece.hasGap && known.text !== '' ? gapLine : '') + piece.text;
  return { text: text.length > keptCharacters ? text.slice(text.indexOf('\n', text.length - keptCharacters) + 1) : text, position: piece.position };
}

export function useRuntimeLog(name: string, isFollowing: boolean): UseQueryResult<RuntimeLog> {
  const client = useQueryClient();
  return useQuery({
    queryKey: ['runtime-log', name],
    queryFn: async ({ signal }) => {
      const known = client.getQueryData<RuntimeLog>(['runtime-log', name]) ?? nothing;
      const after = known.position === null ? '' : `?after=${encodeURIComponent(known.position)}`;
      return withPiece(known, await request(runtimeLogSchema, instanceApi(name, `/logs${after}`), { signal }));
    },
    refetchInterval: isFollowing ? paceMs : false,
    refetchOnWindowFocus: isFollowing,
  });
}

/** Looks for a text in all that is kept; empty: looks for nothing. */
export const useLogSearch = (name: string, text: string): UseQueryResult<LogSearch> =>
  useQuery({
    queryKey: ['log-search', name, text],
    queryFn: ({ signal }) => request(logSearchSchema, instanceApi(name, `/logs/search?text=${encodeURIComponent(text)}`), { signal }),
    enabled: text !== '',
    staleTime: 2_000,
  });
