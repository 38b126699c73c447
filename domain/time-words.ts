// Times in the sentences of errors and mails, where no browser can put them into its own zone.

/** "just now", "3 minutes ago", "2 hours ago", then the date in UTC. */
export function describePast(at: Date, now = new Date()): string {
  const minutes = Math.floor((now.getTime() - at.getTime()) / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return minutes === 1 ? '1 minute ago' : `${minutes} minutes ago`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return hours === 1 ? '1 hour ago' : `${hours} hours ago`;
  return `on ${at.toISOString().slice(0, 10)}`;
}
