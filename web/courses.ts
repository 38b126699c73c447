// Courses: reading, planning, starting, links.

import { useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from '@tanstack/react-query';
import { courseLinksSchema, courseListSchema, courseSchema, type CourseSummary, type CourseView } from '../contracts/courses.ts';
import { isJobOver } from '../contracts/states.ts';
import { isMissing, request, type ApiError } from './api.ts';

const settled = ['waiting', 'running', 'stopped', 'crashed', 'failed', 'unhealthy'];

export const useCourses = (): UseQueryResult<CourseSummary[]> =>
  useQuery({ queryKey: ['courses'], queryFn: async ({ signal }) => (await request(courseListSchema, '/courses', { signal })).courses });

/** One course; while its job or an instance moves, it is asked for every 2 s. */
export const useCourse = (id: string): UseQueryResult<CourseView> =>
  useQuery({
    queryKey: ['course', id],
    queryFn: ({ signal }) => request(courseSchema, `/courses/${id}`, { signal }),
    refetchInterval: ({ state }) => (isMissing(state.error) ? false : state.data === undefined || isMoving(state.data) ? 2_000 : 20_000),
  });

const isMoving = ({ job, members }: CourseView): boolean =>
  (job !== null && !isJobOver(job.state)) || members.some(({ instances }) => instances.some(({ state }) => !settled.includes(state)));

export type CourseLink = { readonly personId: string; readonly url: string };

/** Fresh links for everybody who has not accepted; they are in the answer and nowhere else. */
export function useCourseLinks(id: string): UseMutationResult<CourseLink[], ApiError, void> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () => (await request(courseLinksSchema, `/courses/${id}/links`, { method: 'POST', body: {} })).links,
    onSuccess: () => client.invalidateQueries({ queryKey: ['course', id] }),
    gcTime: 0,
  });
}

/** A cell that no spreadsheet takes for a formula. @see OWASP CSV Injection */
const cell = (text: string): string => `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;

/** Names, addresses, instances and links as a table for a spreadsheet, with the mark by which Excel knows UTF-8. */
export function linksAsCsv(course: CourseView, links: readonly CourseLink[]): string {
  const urls = new Map(links.map(({ personId, url }) => [personId, url]));
  const rows = course.members.map(({ id, name, userName, email, instances }) => [
    name,
    userName,
    email,
    instances.map((one) => one.name).join(' '),
    urls.get(id) ?? '',
  ]);
  return `\uFEFF${[['Name', 'User name', 'E-mail', 'Instance', 'Link'], ...rows].map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`;
}
