// Certificates as managers see them: each name with what it shows, and the files of the folder.

import { z } from 'zod';

/** `due`: is renewed about now; `soon` and `late`: that has not happened; `ended` is shown as missing. */
export const certificateStages = ['good', 'due', 'soon', 'late'] as const;
export type CertificateStage = (typeof certificateStages)[number];

export const certificateNameSchema = z.object({
  hostName: z.string(),
  /** What it shows; null: nothing. */
  certificate: z
    .object({
      /** Name in the folder; null: by ACME. */
      file: z.string().nullable(),
      issuer: z.string(),
      names: z.array(z.string()),
      expiresAt: z.string(),
      daysLeft: z.number().int(),
      stage: z.enum(certificateStages),
    })
    .nullable(),
  /** Whether the panel gets one by itself. */
  isAsked: z.boolean(),
  /** When it is tried next; null: it is not due. */
  nextTryAt: z.string().nullable(),
  /** `saying`: the authority's own words where the sentence does not hold them. */
  error: z.object({ code: z.string(), sentence: z.string(), hint: z.string(), saying: z.string().nullable() }).nullable(),
  /** The newest job for this name. */
  job: z.object({ id: z.string(), state: z.string() }).nullable(),
});
export type CertificateName = z.infer<typeof certificateNameSchema>;

export const certificateFileSchema = z.object({
  file: z.string(),
  names: z.array(z.string()),
  issuer: z.string(),
  startsAt: z.string().nullable(),
  expiresAt: z.string().nullable(),
  /** Why it cannot be used. */
  problem: z.string().nullable(),
  /** What may be wrong with it. */
  warning: z.string().nullable(),
});
export type CertificateFileView = z.infer<typeof certificateFileSchema>;

export const certificatesSchema = z.object({
  /** False: https is somebody else's, or nobody's; there is nothing else to see then. */
  takesHttps: z.boolean(),
  /** Host name of the authority that is asked; null: none is. */
  authority: z.string().nullable(),
  folder: z.string(),
  /** When the worker last looked into the folder; null: not yet. */
  seenAt: z.string().nullable(),
  names: z.array(certificateNameSchema),
  files: z.array(certificateFileSchema),
});
export type CertificatesView = z.infer<typeof certificatesSchema>;
