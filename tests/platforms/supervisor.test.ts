// What stands in supervisord's files, what it answers, and what we make of both.

import { describe, expect, it } from 'vitest';
import { readHistory } from '../../platforms/local/log-file.ts';
import { joinObservation } from '../../platforms/local/observe.ts';
import { type ProcessInfo, renderProgram } from '../../platforms/local/supervisor.ts';
import { readAnswer, RpcFault, writeCall } from '../../platforms/local/xml-rpc.ts';

describe('program files', () => {
  it('quotes for shlex, doubles percent signs', () => {
    const text = renderProgram('abc', ['/usr/bin/python3', '-I', '/a b/%(x)s', 'say "hi" \\', '--']);
    expect(text).toContain('\ncommand=/usr/bin/python3 -I "/a b/%%(x)s" "say \\"hi\\" \\\\" --\n');
    expect(text).toMatch(/^\[program:abc\]\n/);
    expect(text).not.toMatch(/environment/);
  });

  it('refuses what would end the line or begin a comment', () => {
    expect(() => renderProgram('abc', ['a\nautostart=false'])).toThrow('line break');
    expect(() => renderProgram('abc', ['a ;b'])).toThrow('line break');
  });
});

describe('XML-RPC', () => {
  it('reads what supervisord really answers', () => {
    const answer = `<?xml version='1.0'?>
<methodResponse>
<params>
<param>
<value><array><data>
<value><struct>
<member>
<name>name</name>
<value><string>abc</string></value>
</member>
<member>
<name>description</name>
<value><string>Exited too &lt;quickly&gt; (process log may have details) &amp; more</string></value>
</member>
<member>
<name>stdout_logfile</name>
<value><string></string></value>
</member>
<member>
<name>pid</name>
<value><int>0</int></value>
</member>
<member>
<name>ok</name>
<value><boolean>1</boolean></value>
</member>
</struct></value>
</data></array></value>
</param>
</params>
</methodResponse>`;
    expect(readAnswer(answer)).toEqual([
      { name: 'abc', description: 'Exited too <quickly> (process log may have details) & more', stdout_logfile: '', pid: 0, ok: true },
    ]);
    expect(readAnswer('<methodResponse><params><param><value><array><data></data></array></value></param></params></methodResponse>')).toEqual([]);
    expect(
      readAnswer(
        '<methodResponse><params><param><value><array><data><value><array><data><value><string>a</string></value></data></array></value><value><array><data/></array></value></data></array></value></param></params></methodResponse>',
      ),
    ).toEqual([['a'], []]);
    expect(readAnswer('<methodResponse><params><param><value>plain</value></param></params></methodResponse>')).toBe('plain');
  });

  it('a fault is thrown with its code', () => {
    const fault = `<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>10</int></value></member><member><name>faultString</name><value><string>BAD_NAME: abc</string></value></member></struct></value></fault></methodResponse>`;
    expect(() => readAnswer(fault)).toThrow(expect.objectContaining({ faultCode: 10, message: 'BAD_NAME: abc' }));
    expect(() => readAnswer(fault)).toThrow(RpcFault);
  });

  it('writes calls with escaped parameters', () => {
    expect(writeCall('supervisor.stopProcessGroup', ['a<b>&c'])).toContain('<string>a&lt;b&gt;&amp;c</string>');
  });
});

describe('what the log tells about earlier runs', () => {
  const since = new Date('2026-11-21T10:00:00.900Z');
  const crash = (second: number, code: number) =>
    `[arboretum] 2026-11-21T10:00:0${second}Z started as process 1; no limits\nTraceback\nValueError: ${code}\n[arboretum] 2026-11-21T10:00:0${second}Z ended with exit code ${code}\n`;

  it('counts starts since the deliberate one, and keeps the last run', () => {
    const log = `[arboretum] 2026-11-21T09:00:00Z started as process 7; no limits\n${crash(0, 1)}${crash(2, 3)}`;
    expect(readHistory(log, since)).toMatchObject({ starts: 2, exitCode: 3, isOutOfMemory: false });
    expect(readHistory(log, since).lastRun).toContain('ValueError: 3');
    expect(readHistory('', since)).toEqual({ starts: 0, exitCode: null, isOutOfMemory: false, lastRun: '' });
  });

  it('keeps the run that crashed while the next one is starting', () => {
    const history = readHistory(`${crash(0, 1)}[arboretum] 2026-11-21T10:00:05Z started as process 2; no limits\n`, since);
    expect(history).toMatchObject({ starts: 2, exitCode: 1 });
    expect(history.lastRun).toContain('ValueError: 1');
  });

  it('knows out of memory', () => {
    const log = '[arboretum] 2026-11-21T10:00:01Z started as process 1; x\n[arboretum] 2026-11-21T10:00:02Z out of memory: the limit of 160 MiB was reached\n';
    expect(readHistory(log, since)).toMatchObject({ isOutOfMemory: true, exitCode: 137 });
  });
});

describe('states', () => {
  const startedAt = new Date('2026-11-21T10:00:00Z');
  const info = (state: ProcessInfo['state']): ProcessInfo => ({ name: 'x', state, pid: 1, exitCode: 0, startedAt });
  const history = (starts: number) => ({ starts, exitCode: starts > 1 ? 3 : null, isOutOfMemory: false, lastRun: starts > 1 ? 'ValueError: x\n' : '' });
  it.each<[ProcessInfo['state'], boolean, number, number, string]>([
    ['STARTING', false, 1, 1, 'starting'],
    ['STARTING', true, 1, 1, 'running'],
    ['RUNNING', true, 1, 100, 'running'],
    ['RUNNING', false, 1, 20, 'starting'],
    ['RUNNING', false, 1, 100, 'unhealthy'],
    ['STARTING', false, 3, 1, 'crashed'],
    ['BACKOFF', false, 2, 1, 'crashed'],
    ['EXITED', false, 1, 1, 'crashed'],
    ['FATAL', false, 9, 1, 'crashed'],
    ['STOPPING', false, 1, 1, 'stopped'],
  ])('%s, answers: %s, %d starts, %d s old → %s', (state, doesAnswer, starts, age, expected) => {
    const now = new Date(startedAt.getTime() + age * 1000);
    const seen = joinObservation({ info: info(state), doesAnswer, history: history(starts), memoryBytes: 5, now });
    expect(seen).toMatchObject({ state: expected, webProcesses: expected === 'running' ? 1 : 0, restarts: starts - 1 });
  });
});
