// The environment that programs started by the scripts inherit (proxies, certificates, package indexes): the one place that reads it whole.

/** Everything but what would lead PostgreSQL's tools elsewhere. */
export function inheritedEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter(([name, value]) => value !== undefined && !name.startsWith('PG'));
  return Object.fromEntries(entries) as Record<string, string>;
}

/** The environment of the services: only what they need of ours, never passwords of the person who started them. */
export function serviceEnvironment(): Record<string, string> {
  const kept = /^(PATH|LANG|LC_.*|TZ|(https?|no|all)_proxy|SSL_CERT_(FILE|DIR)|NODE_EXTRA_CA_CERTS)$/i;
  return Object.fromEntries(Object.entries(inheritedEnvironment()).filter(([name]) => kept.test(name)));
}
