// Exports of an instance's data: what there is, where a file is fetched, how long pages took.

import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { exportListSchema, pageTimesSchema, type ExportKind, type ExportList, type PageTimes } from '../contracts/exports.ts';
import { instanceApi } from './addresses.ts';
import { request } from './api.ts';

/** @param isAnswering whether oTree runs: it alone knows its data */
export const useExports = (name: string, isAnswering: boolean): UseQueryResult<ExportList> =>
  useQuery({
    queryKey: ['exports', name],
    queryFn: ({ signal }) => request(exportListSchema, instanceApi(name, '/exports'), { signal }),
    enabled: isAnswering,
    refetchInterval: 60_000,
    retry: false,
  });

/** Asked for on a click only: oTree writes all page times for it, and people wait meanwhile. */
export const usePageTimes = (name: string, session: string, isWanted: boolean): UseQueryResult<PageTimes> =>
  useQuery({
    queryKey: ['page-times', name, session],
    queryFn: ({ signal }) => request(pageTimesSchema, instanceApi(name, `/page-times${session === '' ? '' : `?session=${session}`}`), { signal }),
    enabled: isWanted,
    retry: false,
  });

type Wish = { readonly what: ExportKind; readonly app?: string; readonly function?: string; readonly session: string; readonly isForExcel: boolean };

/** Path below `/api/v1`. */
export function exportPath(name: string, { what, app, session, isForExcel, ...wish }: Wish): string {
  const query = new URLSearchParams({
    ...(app === undefined ? {} : { app }),
    ...(wish.function === undefined ? {} : { function: wish.function }),
    ...(session === '' ? {} : { session }),
    ...(isForExcel ? { excel: '1' } : {}),
  });
  const words = query.toString();
  return instanceApi(name, `/exports/${what}${words === '' ? '' : `?${words}`}`);
}
