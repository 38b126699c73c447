// Pasted lines of variables: what people have in a .env file, and a remark with the line for everything else.

import { describe, expect, it } from 'vitest';
import { readLines } from '../../web/environment-lines.ts';

describe('pasted lines', () => {
  it('become variables, with comments, quotes and several lines as in a .env file', () => {
    const text = '# keys\nAPI_KEY=abc=def\r\n\nexport URL = https://x.example/?a=1\nKEY="one\ntwo \\"quoted\\""\nRAW=\'a # b\'\nEMPTY=\n';
    expect(readLines(text).variables).toEqual([
      { name: 'API_KEY', value: 'abc=def' },
      { name: 'URL', value: 'https://x.example/?a=1' },
      { name: 'KEY', value: 'one\ntwo "quoted"' },
      { name: 'RAW', value: 'a # b' },
      { name: 'EMPTY', value: '' },
    ]);
  });

  it.each([
    ['A=1\nnonsense', 'Line 2: write KEY=value.'],
    ['lower=1', /^Line 1: “lower” is no name\./],
    ['\nPATH=/bin', /^Line 2: PATH cannot be set here: /],
    ['A="open\nB=1', 'Line 1: the quote of A is not closed.'],
  ])('that cannot be read are named with their number: %j', (text, remark) => {
    const answer = readLines(text);
    expect(answer.variables).toEqual([]);
    if (typeof remark === 'string') expect(answer.remark).toBe(remark);
    else expect(answer.remark).toMatch(remark);
  });
});
