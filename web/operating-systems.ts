// Which system the reader sits at, so that its instructions come first.

const systems = ['Windows', 'macOS', 'Linux'] as const;
export type OperatingSystem = (typeof systems)[number];

/** All systems, the reader's own first; `platform` as in `navigator.platform`. */
export function systemsFor(platform: string): OperatingSystem[] {
  const own: OperatingSystem = /^win/i.test(platform)
    ? 'Windows'
    : /^(mac|ip)/i.test(platform)
      ? 'macOS'
      : /linux|x11|cros|bsd/i.test(platform)
        ? 'Linux'
        : 'Windows';
  return [own, ...systems.filter((system) => system !== own)];
}
