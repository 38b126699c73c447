// Certificates: reading them, trying again, how each name looks, and the warning under the bell when one nears its end.

import { useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from '@tanstack/react-query';
import { useEffect } from 'react';
import { certificatesSchema, type CertificateName, type CertificatesView } from '../contracts/certificates.ts';
import { jobSchema, type JobView } from '../contracts/jobs.ts';
import { isJobOver, type JobState } from '../contracts/states.ts';
import { request, type ApiError } from './api.ts';
import { rememberJob } from './live-cache.ts';
import { jobLooks, type Look } from './looks.ts';
import { notify, type Notification } from './notifications.ts';
import { countOf } from './numbers.ts';
import { useMay } from './panel.ts';

const key = ['certificates'];
const busyMs = 2_000;
const quietMs = 30_000;
const warnedMs = 600_000;

export const isBusy = ({ job }: Pick<CertificateName, 'job'>): boolean => job !== null && !isJobOver(job.state as JobState);

const read = ({ signal }: { signal: AbortSignal }): Promise<CertificatesView> => request(certificatesSchema, '/system/certificates', { signal });

export const useCertificates = (): UseQueryResult<CertificatesView> =>
  useQuery({ queryKey: key, queryFn: read, refetchInterval: ({ state }) => (state.data?.names.some(isBusy) ? busyMs : quietMs) });

/** Asks the authority at once. */
export function useTryCertificate(): UseMutationResult<JobView, ApiError, string> {
  const client = useQueryClient();
  return useMutation<JobView, ApiError, string>({
    mutationFn: (hostName) => request(jobSchema, `/system/certificates/${encodeURIComponent(hostName)}/try`, { method: 'POST' }),
    onSuccess: (job) => rememberJob(client, job),
    onSettled: () => client.invalidateQueries({ queryKey: key }),
  });
}

const left = (days: number): string => (days < 1 ? 'less than a day left' : `${countOf(days, 'day')} left`);

/** Word, icon and tone of a name; what is under way comes before what is the case. */
export function lookOf(name: CertificateName): Look {
  if (isBusy(name)) return { ...jobLooks.running, word: 'getting one' };
  if (name.certificate === null) {
    if (name.isAsked && name.error === null) return { word: 'on its way', icon: 'clock outline', tone: 'sky' };
    return { word: 'none', icon: 'times circle', tone: 'brick' };
  }
  const { stage, daysLeft } = name.certificate;
  const word = left(daysLeft);
  if (stage === 'good' || (stage === 'due' && name.error === null)) return { word, icon: 'check circle', tone: 'moss' };
  return stage === 'late' ? { word, icon: 'times circle', tone: 'brick' } : { word, icon: 'exclamation triangle', tone: 'amber' };
}

/** Whether somebody should look at it. */
export const needsLook = (name: CertificateName): boolean => lookOf(name).tone !== 'moss';

/** What the bell says of a name; null: nothing. Once for each certificate and stage. */
export function warningOf({ hostName, certificate }: CertificateName, at: string): Notification | null {
  if (certificate === null || (certificate.stage !== 'soon' && certificate.stage !== 'late')) return null;
  const { stage, daysLeft, expiresAt } = certificate;
  const text = `The certificate of ${hostName} was not renewed: ${left(daysLeft)}.`;
  return { id: `certificate ${hostName} ${expiresAt} ${stage}`, at, text, tone: 'brick', to: '/system', isSeen: false };
}

/** Tells managers under the bell of certificates near their end. */
export function useCertificateWarnings(): void {
  const isManager = useMay('system.read');
  const { data } = useQuery({ queryKey: key, queryFn: read, enabled: isManager, refetchInterval: warnedMs, retry: false });
  useEffect(() => {
    for (const name of data?.names ?? []) {
      const warning = warningOf(name, new Date().toISOString());
      if (warning) notify(warning);
    }
  }, [data]);
}
