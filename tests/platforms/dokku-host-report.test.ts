// What is said of a Dokku host that the panel cannot use, or not without care.

import { describe, expect, it } from 'vitest';
import { judgeHost } from '../../platforms/dokku/report.ts';
import { readPlugins } from '../../platforms/dokku-reports.ts';
import { readRecordings } from '../dokku/recordings.ts';

const plugins = readPlugins(readRecordings().find(({ name }) => name === 'plugin-list-json')?.stdout ?? '');
const without = (name: string) => plugins.filter((plugin) => plugin.name !== name);

describe('a Dokku host', () => {
  it('as it was recorded is fine, but its plugin acl does not keep what it says', () => {
    const { problems, warnings } = judgeHost('0.38.27', plugins);
    expect(problems).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining('The plugin acl is installed')]);
    expect(judgeHost('0.38.27', without('acl')).warnings).toEqual([]);
  });

  it.each([
    ['0.29.4', true],
    ['0.9.0', true],
    ['0.30.0', false],
    ['1.0.0', false],
  ])('of version %s is too old: %s', (version, isOld) => {
    expect(judgeHost(version, plugins).problems).toEqual(
      isOld ? [`Dokku ${version} is too old: the panel needs 0.30 or later. Bring the host up to date, as Dokku’s own pages say.`] : [],
    );
    expect(judgeHost(version, null).problems).toHaveLength(isOld ? 1 : 0);
  });

  it('without the plugin postgres, or with it switched off, gives the command that adds it', () => {
    const off = plugins.map((plugin) => (plugin.name === 'postgres' ? { ...plugin, isEnabled: false } : plugin));
    for (const list of [without('postgres'), off])
      expect(judgeHost('0.38.27', list).problems).toEqual([expect.stringContaining('dokku plugin:install https://github.com/dokku/dokku-postgres.git')]);
  });
});
