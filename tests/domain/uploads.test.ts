// Code without a command line: which archives become a commit, and in which words the others are refused.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commitFolder, createRepository } from '../../domain/repositories.ts';
import { clearUploads, receiveUpload } from '../../domain/uploads.ts';
import type { Instance, User } from '../../prisma/client/client.ts';
import { makeTarGz, makeZip, type TarMember, type ZipMember } from '../archives.ts';
import { anInstance, aUser, testContext, type TestContext } from '../factories.ts';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext({ UPLOAD_MAX_MIB: '2' });
  mkdirSync(ctx.config.layout.repositoriesDir, { recursive: true });
});
afterAll(() => ctx.close());

const settings = { name: 'settings.py', content: 'SESSION_CONFIGS = []\n' };
type Place = { owner: User; instance: Instance };

async function aPlace(fields: { state?: string; facts?: unknown; deployBranch?: string } = {}): Promise<Place> {
  const owner = await aUser(ctx, { name: 'Ada <Lovelace>' });
  const instance = await anInstance(ctx, { ownerId: owner.id, ...fields });
  await createRepository(ctx.config.layout, instance.id);
  return { owner, instance };
}

const upload = ({ owner, instance }: Place, archive: Buffer, more: { filename?: string; reason?: string } = {}) =>
  receiveUpload(ctx, owner, { instance, filename: more.filename ?? 'trust.zip', reason: more.reason, content: Readable.from([archive]) });
const git = ({ instance }: Place, ...args: string[]): string =>
  execFileSync('git', ['-C', ctx.config.layout.repositoryDir(instance.id), '-c', 'safe.directory=*', ...args], { encoding: 'utf8' }).trim();
const files = (place: Place, branch = 'main'): string[] => git(place, 'ls-tree', '-r', '--name-only', '-z', branch).split('\0').filter(Boolean);
const refusal = async (archive: Buffer): Promise<{ reason: string; hint: string }> => {
  const place = await aPlace();
  const error = await upload(place, archive).then(
    () => null,
    (raw: unknown) => raw as { code: string; details: { reason: string; hint: string } },
  );
  expect(error).toMatchObject({ code: 'upload_refused' });
  expect(git(place, 'for-each-ref')).toBe('');
  expect(await ctx.db.deployment.count({ where: { instanceId: place.instance.id } })).toBe(0);
  return error?.details ?? { reason: '', hint: '' };
};

describe('an archive', () => {
  it('becomes a commit of the person on the deploy branch and a deployment like a push', async () => {
    const place = await aPlace();
    const { job, leftOut } = await upload(place, makeZip([settings, { name: 'trust/__init__.py', content: 'x = 1\n' }]));
    expect(leftOut).toEqual([]);
    expect(files(place)).toEqual(['settings.py', 'trust/__init__.py']);
    expect(git(place, 'log', '-1', '--format=%an|%ae|%s')).toBe(`Ada Lovelace|${place.owner.email}|Upload of trust.zip`);
    expect(job).toMatchObject({ kind: 'deploy', state: 'queued', actorId: place.owner.id });
    expect(await ctx.db.deployment.findFirst({ where: { instanceId: place.instance.id } })).toMatchObject({ source: 'upload', branch: 'main', number: 1 });
    expect(readdirSync(ctx.config.layout.repositoriesDir).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('comes on top of what was pushed, and takes away what is not in it', async () => {
    const place = await aPlace();
    await upload(place, makeZip([settings, { name: 'old.py' }]));
    await ctx.db.job.updateMany({ where: { instanceId: place.instance.id }, data: { state: 'succeeded' } });
    await upload(place, makeTarGz([settings, { name: 'new.py' }]), { filename: 'trust.otreezip' });
    expect(files(place)).toEqual(['new.py', 'settings.py']);
    expect(git(place, 'rev-list', '--count', 'main')).toBe('2');
  });

  it('goes to the branch that was set', async () => {
    const place = await aPlace({ deployBranch: 'study-2' });
    const { job } = await upload(place, makeZip([settings]));
    expect(job).not.toBeNull();
    expect(files(place, 'study-2')).toEqual(['settings.py']);
  });

  it('with the same files as are deployed changes nothing, and builds again what failed', async () => {
    const place = await aPlace();
    const archive = makeZip([settings]);
    await upload(place, archive);
    const where = { instanceId: place.instance.id };
    await ctx.db.deployment.updateMany({ where, data: { state: 'succeeded' } });
    await ctx.db.job.updateMany({ where, data: { state: 'succeeded' } });
    expect((await upload(place, archive)).job).toBeNull();
    expect([git(place, 'rev-list', '--count', 'main'), await ctx.db.deployment.count({ where })]).toEqual(['1', 1]);
    await ctx.db.deployment.updateMany({ where, data: { state: 'cancelled' } });
    expect((await upload(place, archive)).job).toMatchObject({ kind: 'deploy' });
  });

  it('is unwrapped from single outer folders', async () => {
    const place = await aPlace();
    await upload(place, makeZip([{ name: 'Desktop/' }, { name: 'Desktop/trust/' }, { name: 'Desktop/trust/settings.py' }, { name: 'Desktop/trust/a/b.py' }]));
    expect(files(place)).toEqual(['a/b.py', 'settings.py']);
  });

  it('of old Windows programs, with backslashes, is read as it is meant', async () => {
    const place = await aPlace();
    await upload(place, makeZip([settings, { name: 'trust\\__init__.py' }, { name: 'trust\\pages\\' }]));
    expect(files(place)).toEqual(['settings.py', 'trust/__init__.py']);
  });

  it('keeps names in any script, also longer than old tar knows', async () => {
    const place = await aPlace();
    const long = `${'ordner/'.repeat(20)}prüfung-实验.py`;
    await upload(place, makeTarGz([settings, { name: long }, { name: './rel/./x.py' }]), { filename: 'x.tar.gz' });
    expect(files(place)).toEqual(['ordner/'.repeat(20) + 'prüfung-实验.py', 'rel/x.py', 'settings.py']);
  });

  it('loses repositories, environments with their links, databases and the litter of macOS, and says which', async () => {
    const place = await aPlace();
    const archive = makeTarGz([
      settings,
      { name: '.git/config', content: '[core]\nfsmonitor = evil' },
      { name: 'vendor/.git', content: 'gitdir: /' },
      { name: 'env/pyvenv.cfg' },
      { name: 'env/bin/python', type: '2', linkTo: '/usr/bin/python3' },
      { name: 'env/lib/x.py' },
      { name: 'db.sqlite3', content: 'SQLite' },
      { name: '__MACOSX/._settings.py' },
      { name: 'trust/__pycache__/a.pyc' },
      { name: '.DS_Store' },
      { name: '.gitignore', content: 'settings.py\n' },
    ]);
    expect((await upload(place, archive)).leftOut).toEqual(['.git', 'db.sqlite3', 'env/', 'vendor/.git']);
    expect(files(place)).toEqual(['.gitignore', 'settings.py']);
  });
});

const zips: readonly [string, readonly ZipMember[], RegExp][] = [
  ['climbs out', [settings, { name: '../../outside.py' }], /outside of the project: “\.\.\/\.\.\/outside\.py”/],
  ['climbs out with backslashes', [settings, { name: 'a\\..\\..\\outside.py' }], /outside of the project/],
  ['has an absolute name', [settings, { name: '/etc/cron.d/x' }], /outside of the project/],
  ['names a drive', [settings, { name: 'C:\\Windows\\x' }], /outside of the project/],
  ['holds a link', [settings, { name: 'secret', content: '/etc/shadow', mode: 0o120777 }], /“secret” is a link/],
  ['holds a device', [settings, { name: 'disk', mode: 0o060666 }], /“disk” is neither a file nor a folder/],
  ['is encrypted', [{ ...settings, isEncrypted: true }], /encrypted/],
  ['is packed strangely', [{ ...settings, method: 14 }], /method 14/],
  ['holds a name twice', [settings, { name: 'a.py' }, { name: 'a.py' }], /“a\.py” twice/],
  ['holds names that differ in case', [settings, { name: 'App/a.py' }, { name: 'app/a.py' }], /“App” and “app”, which are one file/],
  ['holds a file that is also a folder', [settings, { name: 'a' }, { name: 'a/b.py' }], /“a” twice/],
  ['holds a name that is not UTF-8', [settings, { name: Buffer.from([0x70, 0x81, 0xff, 0x2e]) }], /not written in UTF-8/],
  ['holds a name with a line end', [settings, { name: 'a\nb.py' }], /cannot be used: “a\?b\.py”/],
  ['holds a very long name', [settings, { name: 'x'.repeat(300) }], /cannot be used/],
  ['nests too deep', [settings, { name: `${'a/'.repeat(40)}x.py` }], /more than 30 deep/],
  ['is empty', [], /no settings\.py/],
];

const tars: readonly [string, readonly TarMember[], RegExp][] = [
  ['climbs out', [settings, { name: '../outside.py' }], /outside of the project/],
  ['climbs out by a long name', [settings, { name: `${'a/../'.repeat(30)}../../outside.py` }], /outside of the project/],
  ['holds a symbolic link', [settings, { name: 'l', type: '2', linkTo: '/etc/passwd' }], /“l” is a link/],
  ['holds a hard link', [settings, { name: 'l', type: '1', linkTo: 'settings.py' }], /“l” is a link/],
  ['holds a device', [settings, { name: 'd', type: '3' }], /neither a file nor a folder/],
  ['holds a pipe', [settings, { name: 'd', type: '6' }], /neither a file nor a folder/],
  ['writes through a link', [settings, { name: 'l', type: '2', linkTo: '/tmp' }, { name: 'l/x.py' }], /“l” twice/],
  ['holds a name that is not UTF-8', [settings, { name: Buffer.from([0xc3, 0x28]) }], /not written in UTF-8/],
];

describe('an archive is refused in plain words, and nothing is committed, when it', () => {
  it.each(zips)('%s (.zip)', async (_what, members, words) => {
    expect((await refusal(makeZip(members))).reason).toMatch(words);
  });

  it.each(tars)('%s (.tar.gz)', async (_what, members, words) => {
    expect((await refusal(makeTarGz(members))).reason).toMatch(words);
  });

  it('is a bomb', async () => {
    const zeros = Buffer.alloc(40 * 1024 * 1024);
    expect((await refusal(makeZip([settings, { name: 'big', content: zeros }]))).reason).toMatch(/grows far beyond/);
    expect((await refusal(gzipSync(zeros))).reason).toMatch(/no settings\.py/);
    expect((await refusal(makeTarGz([settings, { name: '.git/big', content: zeros }]))).reason).toMatch(/grows far beyond/);
  });

  it('says another size than it has', async () => {
    const lying = makeZip([{ name: 'settings.py', content: 'x'.repeat(5000) }]);
    const at = lying.lastIndexOf(Buffer.from('504b0102', 'hex'));
    lying.writeUInt32LE(10, at + 24);
    expect((await refusal(lying)).reason).toMatch(/damaged/);
  });

  it('is damaged inside of a file, and the panel goes on', async () => {
    const damaged = makeZip([{ name: 'settings.py', content: 'abc'.repeat(5000) }]);
    damaged.fill(0xff, 45, 60);
    expect((await refusal(damaged)).reason).toMatch(/damaged/);
    const tar = makeTarGz([settings, { name: 'a.py', content: Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * 7919) % 251)) }]);
    tar.fill(0xff, 300, 320);
    expect((await refusal(tar)).reason).toMatch(/damaged/);
  });

  it('holds too many files', async () => {
    const many = makeTarGz([settings, ...Array.from({ length: 50_001 }, (_, at) => ({ name: `d${at}/`, type: '5' }))]);
    expect((await refusal(many)).reason).toMatch(/more than 50,000 files/);
  });

  it('breaks off, is something else, or is empty', async () => {
    expect((await refusal(makeZip([settings]).subarray(0, 40))).reason).toMatch(/damaged/);
    expect((await refusal(makeTarGz([settings]).subarray(0, 60))).reason).toMatch(/damaged/);
    expect((await refusal(Buffer.from('Rar!\u001a\u0007'))).reason).toMatch(/“trust\.zip” is neither a \.zip nor/);
    expect((await refusal(Buffer.alloc(0))).reason).toMatch(/empty/);
  });

  it('has no settings.py at its top, with where it lies', async () => {
    const { reason, hint } = await refusal(makeZip([{ name: 'readme.txt' }, { name: 'code/trust/settings.py' }]));
    expect([reason, hint]).toEqual(['There is no settings.py at the top of this archive.', 'It lies in “code/trust”: pack that folder.']);
  });
});

describe('an upload', () => {
  it('larger than the setting is broken off', async () => {
    const place = await aPlace();
    await expect(upload(place, Buffer.alloc(3 * 1024 * 1024, 'PK'))).rejects.toMatchObject({ code: 'project_too_large', details: { limitMib: 2 } });
  });

  it('does not disturb people in a session without a reason', async () => {
    const place = await aPlace({ state: 'running', facts: { participantsInSession: 3 } });
    await expect(upload(place, makeZip([settings]))).rejects.toMatchObject({ code: 'people_in_session', details: { count: 3 } });
    expect((await upload(place, makeZip([settings]), { reason: 'the app is wrong' })).job).not.toBeNull();
    expect(await ctx.db.audit.findFirst({ where: { instanceId: place.instance.id, action: 'instance.push' } })).toMatchObject({
      detail: { reason: 'the app is wrong', source: 'upload' },
    });
  });

  it('has to wait until the instance is there', async () => {
    const place = await aPlace({ state: 'creating' });
    await expect(upload(place, makeZip([settings]))).rejects.toMatchObject({ code: 'push_refused' });
  });

  it('clicked twice does one thing', async () => {
    const place = await aPlace();
    const results = await Promise.allSettled([upload(place, makeZip([settings])), upload(place, makeZip([settings]))]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await ctx.db.deployment.count({ where: { instanceId: place.instance.id } })).toBe(1);
  });

  it('loses against a push that came in between, and nothing of the push is lost', async () => {
    const place = await aPlace();
    await upload(place, makeZip([settings]));
    const folder = path.join(ctx.config.layout.dataDir, `pushed-${place.instance.id}`);
    mkdirSync(folder);
    const late = commitFolder(ctx.config.layout, place.instance.id, { folder, message: 'too late', parent: null });
    await expect(late).rejects.toMatchObject({ code: 'push_refused', details: { reason: expect.stringContaining('at the same moment') } });
    expect(files(place)).toEqual(['settings.py']);
  });

  it('that breaks off in the middle leaves nothing, and what a killed server left is cleared away', async () => {
    const place = await aPlace();
    const content = Readable.from(
      (async function* () {
        yield makeZip([settings]).subarray(0, 10);
        await Promise.reject(new Error('aborted'));
      })(),
    );
    const broken = receiveUpload(ctx, place.owner, { instance: place.instance, filename: 'a.zip', reason: undefined, content });
    await expect(broken).rejects.toMatchObject({ code: 'upload_refused', details: { reason: expect.stringContaining('did not arrive completely') } });
    const left = path.join(ctx.config.layout.repositoriesDir, '.upload-left');
    mkdirSync(left);
    await clearUploads(ctx.config.layout);
    expect(existsSync(left)).toBe(false);
    expect(existsSync(ctx.config.layout.repositoryDir(place.instance.id))).toBe(true);
  });
});
