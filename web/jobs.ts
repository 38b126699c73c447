// Jobs and their logs: reading, starting, following.

import { keepPreviousData, useMutation, useQuery, useQueryClient, type QueryClient, type UseMutationResult, type UseQueryResult } from '@tanstack/react-query';
import { jobListSchema, jobLogSchema, jobSchema, type JobList, type JobView, type StartJob } from '../contracts/jobs.ts';
import { isJobOver } from '../contracts/states.ts';
import { instanceApi } from './addresses.ts';
import { isMissing, request, type ApiError } from './api.ts';
import { rememberJob } from './live-cache.ts';

const paceMs = 2_000;
const pieceLimit = 200;
export type JobLog = { readonly text: string; readonly lastSequence: number; readonly isTruncated: boolean };
const emptyLog: JobLog = { text: '', lastSequence: -1, isTruncated: false };

const hasWork = (jobs: readonly JobView[] | undefined): boolean => jobs?.some((job) => !isJobOver(job.state)) ?? false;

/** One page of all jobs that the reader may see; the page before stays while the next one comes. */
export const useJobs = (page: number): UseQueryResult<JobList> =>
  useQuery({
    queryKey: ['jobs', 'page', page],
    queryFn: ({ signal }) => request(jobListSchema, `/jobs?page=${page}`, { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (hasWork(state.data?.jobs) ? paceMs : 20_000),
  });

/** The newest jobs of one instance. */
export const useInstanceJobs = (name: string, isBusy = false): UseQueryResult<JobView[]> =>
  useQuery({
    queryKey: ['jobs', 'of', name],
    queryFn: async ({ signal }) => (await request(jobListSchema, instanceApi(name, '/jobs'), { signal })).jobs,
    refetchInterval: ({ state }) => (isBusy || hasWork(state.data) ? paceMs : 20_000),
  });

export const useJob = (id: string | null, first?: JobView): UseQueryResult<JobView> =>
  useQuery({
    queryKey: ['job', id],
    queryFn: ({ signal }) => request(jobSchema, `/jobs/${id ?? ''}`, { signal }),
    enabled: id !== null,
    ...(first === undefined ? {} : { initialData: first }),
    refetchInterval: ({ state }) => (!isMissing(state.error) && (state.data === undefined || !isJobOver(state.data.state)) ? paceMs : false),
  });

/** The log as far as it is written; asks only for what is new. */
export function useJobLog(job: JobView): UseQueryResult<JobLog> {
  const client = useQueryClient();
  const isOver = isJobOver(job.state);
  return useQuery({
    queryKey: ['job-log', job.id],
    queryFn: ({ signal }) => readOn(job.id, client.getQueryData<JobLog>(['job-log', job.id]) ?? emptyLog, signal),
    refetchInterval: isOver ? false : paceMs,
  });
}

async function readOn(id: string, known: JobLog, signal: AbortSignal): Promise<JobLog> {
  let log = known;
  for (let piece = 0; piece < pieceLimit; piece += 1) {
    const more = await request(jobLogSchema, `/jobs/${id}/log?after=${log.lastSequence}`, { signal });
    const isEnd = more.lastSequence <= log.lastSequence;
    log = { text: log.text + (isEnd ? '' : more.text), lastSequence: Math.max(log.lastSequence, more.lastSequence), isTruncated: more.isTruncated };
    if (isEnd) break;
  }
  return log;
}

/** Starts a job on an instance; the answer is put where the pages look for it. */
export function useStartJob(name: string): UseMutationResult<JobView, ApiError, StartJob> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: StartJob) => request(jobSchema, instanceApi(name, '/jobs'), { method: 'POST', body }),
    onSuccess: (job) => followJob(client, job),
  });
}

/** Asks for a job's end; the answer is put where the pages look for it. */
export function useCancelJob(): UseMutationResult<JobView, ApiError, string> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => request(jobSchema, `/jobs/${id}/cancel`, { method: 'POST' }),
    onSuccess: (job) => followJob(client, job),
  });
}

/** Puts a job that this page started into every copy and asks for the instance again. */
export function followJob(client: QueryClient, job: JobView): void {
  rememberJob(client, job);
  void client.invalidateQueries({ queryKey: ['instances'] });
  void client.invalidateQueries({ queryKey: ['instance', job.instanceName] });
}
