// Why there is no certificate for a host name: code → HTTP status, sentence, hint. A part of the one table in errors.ts.
// Where the sentence says all, the authority's own words stand in the log of the job only.

import type { ErrorEntry } from './build-errors.ts';

export const certificateErrors = {
  acme_not_set: {
    status: 409,
    sentence: 'The panel gets no certificates by itself: ACME_EMAIL is not set.',
    hint: 'Start the panel with ACME_EMAIL, or put a certificate into the folder for them.',
  },
  certificate_not_due: {
    status: 409,
    sentence: '{hostName} has a certificate that is good for {days} more days.',
    hint: 'It is renewed by itself when its time comes.',
  },
  certificate_too_soon: {
    status: 429,
    sentence: 'The authority allows only a few attempts in an hour, and {hostName} has used them up.',
    hint: 'Correct what the last error says, then try again in {minutes} minutes.',
  },
  acme_dns: {
    status: 502,
    sentence: '{authority} found no usable address for {hostName} in DNS.',
    hint: 'DNS must lead {hostName} to this machine, seen from the internet (A, and AAAA only if the machine takes IPv6). The system check has a text for the IT department.',
  },
  acme_no_answer: {
    status: 502,
    sentence: '{authority} asked http://{hostName}/.well-known/acme-challenge/… and got no answer.',
    hint: 'Port 80 must be open from the internet and lead to this machine.',
  },
  acme_wrong_answer: {
    status: 502,
    sentence: '{authority} asked http://{hostName}/.well-known/acme-challenge/… and did not get the panel’s answer.',
    hint: 'Another machine or another web server answers there: let the name and its port 80 lead to this panel.',
  },
  acme_tls: {
    status: 502,
    sentence: '{authority} was sent on to https at {hostName} and could not connect there.',
    hint: 'Let whatever answers port 80 pass /.well-known/acme-challenge/ to this panel without sending it on.',
  },
  acme_caa: {
    status: 502,
    sentence: 'DNS does not allow {authority} to give a certificate for {hostName}.',
    hint: 'Ask the IT department for a CAA record that allows this authority, or for a certificate as a file.',
  },
  acme_rejected_name: {
    status: 502,
    sentence: '{authority} gives no certificates for {hostName}.',
    hint: 'Use a name that is known in the public DNS, or put a certificate of your own authority into the folder.',
  },
  acme_rate_limited: {
    status: 429,
    sentence: '{authority} gives no further certificates for now: {detail}',
    hint: 'There is nothing to do: the panel tries again by itself when it is allowed to. With many instances ask for one wildcard certificate instead.',
  },
  acme_busy: {
    status: 503,
    sentence: '{authority} could not do it just now: {detail}',
    hint: 'The panel tries again by itself.',
  },
  acme_user_action: {
    status: 502,
    sentence: '{authority} wants something from you first: {detail}',
    hint: 'Do what it says, then try again.',
  },
  acme_account_needed: {
    status: 502,
    sentence: '{authority} only serves accounts that were opened with it before (external account binding), which the panel cannot use.',
    hint: 'Take another authority, or fetch the certificate with its own tool and put it into the folder for certificates.',
  },
  acme_contact_refused: {
    status: 502,
    sentence: '{authority} does not accept the e-mail address: {detail}',
    hint: 'Start the panel with an ACME_EMAIL that receives mails.',
  },
  acme_refused: {
    status: 502,
    sentence: '{authority} refused a certificate for {hostName}: {detail}',
    hint: 'The panel tries again by itself; if it stays so, look at the log of the job.',
  },
  acme_unreachable: {
    status: 503,
    sentence: 'The certificate authority {authority} cannot be reached: {detail}',
    hint: 'This machine must be allowed to connect to {authority} by https. The panel tries again by itself.',
  },
  acme_untrusted: {
    status: 502,
    sentence: 'The connection to {authority} is not trusted: {detail}',
    hint: 'With an authority of your own, start the panel with ACME_CA_FILE. Otherwise something stands in between.',
  },
  acme_slow: {
    status: 504,
    sentence: '{authority} did not finish within {seconds} seconds.',
    hint: 'The panel tries again by itself.',
  },
} as const satisfies Record<string, ErrorEntry>;
