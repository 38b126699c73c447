// Asking an address as somebody outside would: whether it answers, and for how long its certificate is good.

import type { Visited } from './preflight-facts.ts';
import { lookAt, NoAnswer } from './public-visit.ts';

const dayMs = 86_400_000;

/** Never throws; a certificate that is not trusted is no answer. */
export async function visit(address: string): Promise<Visited> {
  if (!URL.canParse(address)) return { reason: 'it is no whole address' };
  const url = new URL(address);
  try {
    const { status, certificateUntil } = await lookAt(url);
    return { status, certificateDays: certificateUntil === null ? null : (certificateUntil.getTime() - Date.now()) / dayMs };
  } catch (error) {
    return { reason: error instanceof NoAnswer ? error.message : String(error) };
  }
}
