// Asking an address as somebody outside would: whether it answers, and for how long its certificate is good.

import tls from 'node:tls';
import type { Visited } from './preflight-facts.ts';
import { NoAnswer, statusOf } from './public-visit.ts';

const connectMs = 5_000;
const dayMs = 86_400_000;

/** Never throws. @param tries further addresses that lead on from there count as an answer, too */
export async function visit(address: string): Promise<Visited> {
  if (!URL.canParse(address)) return { reason: 'it is no whole address' };
  const url = new URL(address);
  try {
    const [status, certificateDays] = await Promise.all([statusOf(url), url.protocol === 'https:' ? daysLeft(url) : null]);
    return { status, certificateDays };
  } catch (error) {
    return { reason: error instanceof NoAnswer ? error.message : String(error) };
  }
}

/** Null when no encrypted connection could be made; the certificate is judged by `statusOf`, which refuses a wrong one. */
function daysLeft({ hostname, port }: URL): Promise<number | null> {
  const servername = /^[\d.]+$|:/.test(hostname) ? {} : { servername: hostname };
  return new Promise((resolve) => {
    const socket = tls.connect({ host: hostname, port: Number(port) || 443, rejectUnauthorized: false, timeout: connectMs, ...servername }, () => {
      resolve((Date.parse(socket.getPeerCertificate().valid_to) - Date.now()) / dayMs);
      socket.end();
    });
    socket.on('timeout', () => socket.destroy());
    socket.on('error', () => resolve(null)).on('close', () => resolve(null));
  });
}
