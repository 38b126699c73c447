// What an instance used in the last hours: samples, and what they mean in words.

import { z } from 'zod';

/** What a platform may be able to tell. */
export const measureNames = ['core', 'memory', 'network'] as const;
export type MeasureName = (typeof measureNames)[number];

/** Hours that can be looked at → seconds between two points. */
export const metricSteps = { 1: 60, 6: 120, 48: 600 } as const;
export type MetricHours = keyof typeof metricSteps;

export const metricsQuery = z.object({ hours: z.enum(['1', '6', '48']).default('6') });

/** One point: the time that ended `at`. Null: not known. */
const metricSampleSchema = z.object({
  at: z.string(),
  /** Mean share of one core; 1 is all that oTree can use. */
  core: z.number().nullable(),
  /** The highest seen. */
  memoryBytes: z.number().nullable(),
  /** Bytes a second over a network of its own. */
  received: z.number().nullable(),
  sent: z.number().nullable(),
  /** How often it ended by itself and was started again. */
  restarts: z.number().int(),
  isOutOfMemory: z.boolean(),
});
export type MetricSampleView = z.infer<typeof metricSampleSchema>;

/** Something that the numbers say. */
const metricFindingSchema = z.object({
  tone: z.enum(['good', 'attention', 'bad']),
  seen: z.string(),
  /** What to do; null: nothing. */
  fix: z.string().nullable(),
});
export type MetricFinding = z.infer<typeof metricFindingSchema>;

export const metricsSchema = z.object({
  from: z.string(),
  until: z.string(),
  stepSeconds: z.number().int(),
  measures: z.array(z.enum(measureNames)),
  /** Null: the platform holds it to none. */
  memoryLimitBytes: z.number().nullable(),
  /** Oldest first. Where none stands the experiment did not run, or nobody looked. */
  samples: z.array(metricSampleSchema),
  findings: z.array(metricFindingSchema),
});
export type Metrics = z.infer<typeof metricsSchema>;
