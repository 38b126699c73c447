// Courses, for managers.

import {
  courseLinksSchema,
  courseListSchema,
  coursePreviewSchema,
  courseSchema,
  deleteCourseSchema,
  planCourseSchema,
  startedCourseSchema,
} from '../../contracts/courses.ts';
import { jobSchema } from '../../contracts/jobs.ts';
import { listCourses, makeCourseLinks, previewCourse, showCourse, startCourse, startDeletion } from '../../domain/courses.ts';
import { presentJob } from '../../domain/present-job.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';

const action = 'courses.manage';

export const courseRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'get',
    path: '/courses',
    action,
    summary: 'Courses, newest first',
    response: courseListSchema,
    run: async ({ ctx }) => ({ courses: await listCourses(ctx) }),
  }),
  endpoint({
    method: 'post',
    path: '/courses',
    action,
    summary: 'Make an account, an instance and an invitation for everybody of a list; the name of a course that exists goes on with it',
    body: planCourseSchema,
    response: startedCourseSchema,
    status: 202,
    run: async ({ ctx, person, body }) => {
      const { courseId, job } = await startCourse(ctx, person, body);
      return { courseId, job: presentJob(job) };
    },
  }),
  endpoint({
    method: 'post',
    path: '/courses/preview',
    action,
    summary: 'How a list is understood, with a remark at each line that does not fit; changes nothing',
    body: planCourseSchema,
    response: coursePreviewSchema,
    run: async ({ ctx, body }) => ({ lines: await previewCourse(ctx, body) }),
  }),
  endpoint({
    method: 'get',
    path: '/courses/:id',
    action,
    summary: 'A course with its people and their instances',
    response: courseSchema,
    run: ({ ctx, params }) => showCourse(ctx, params['id'] ?? ''),
  }),
  endpoint({
    method: 'post',
    path: '/courses/:id/links',
    action,
    summary: 'Fresh invitation links for those who have not accepted; links made before die',
    response: courseLinksSchema,
    status: 201,
    run: async ({ ctx, person, params }) => ({ links: await makeCourseLinks(ctx, person, params['id'] ?? '') }),
  }),
  endpoint({
    method: 'post',
    path: '/courses/:id/deletion',
    action,
    summary: 'Delete the course: back up and delete its instances, then the accounts that own nothing else',
    body: deleteCourseSchema,
    response: jobSchema,
    status: 202,
    run: async ({ ctx, person, params, body }) =>
      presentJob(await startDeletion(ctx, person, { courseId: params['id'] ?? '', confirm: body.confirm, reason: body.reason })),
  }),
];
