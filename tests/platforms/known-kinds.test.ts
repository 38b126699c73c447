// Which platform an instance is on: rows are asked as rarely as is safe, and a move is seen at once.

import { expect, it } from 'vitest';
import { KnownKinds } from '../../platforms/known-kinds.ts';

/** Rows that count how often they are asked, and answer when the test says so. */
function makeRows(rows: Record<string, string>) {
  const asked: string[][] = [];
  let held: Promise<void> = Promise.resolve();
  const known = new KnownKinds(async (ids) => {
    asked.push([...ids]);
    const found = new Map(ids.flatMap((id) => (rows[id] === undefined ? [] : [[id, rows[id]] as const])));
    await held;
    return found;
  });
  /** Answers are kept back until the returned function is called; what they say is what the rows said when they were asked. */
  const hold = (): (() => void) => {
    let release = (): void => undefined;
    held = new Promise((resolve) => {
      release = resolve;
    });
    return () => {
      held = Promise.resolve();
      release();
    };
  };
  return { rows, asked, known, hold };
}

it('all instances are asked for at once, and what only looks asks no more', async () => {
  const { asked, known } = makeRows({ one: 'local', two: 'swarm' });
  expect(await known.read(['one', 'two'])).toEqual(
    new Map([
      ['one', 'local'],
      ['two', 'swarm'],
    ]),
  );
  for (let round = 0; round < 5; round += 1) expect((await known.recall(['two'])).get('two')).toBe('swarm');
  expect(asked).toEqual([['one', 'two']]);
});

it('only instances that are not remembered are asked for', async () => {
  const { asked, known } = makeRows({ one: 'local', two: 'swarm' });
  await known.recall(['one']);
  expect((await known.recall(['one', 'two'])).size).toBe(2);
  expect(asked).toEqual([['one'], ['two']]);
});

it('an instance without a row is asked for again', async () => {
  const { rows, known } = makeRows({});
  expect((await known.recall(['one'])).has('one')).toBe(false);
  rows['one'] = 'swarm';
  expect((await known.recall(['one'])).get('one')).toBe('swarm');
});

it('whoever changes an instance reads the row each time, and what it says is remembered', async () => {
  const { rows, known } = makeRows({ one: 'local' });
  await known.read(['one']);
  rows['one'] = 'swarm';
  expect((await known.recall(['one'])).get('one')).toBe('local');
  expect((await known.read(['one'])).get('one')).toBe('swarm');
  expect((await known.recall(['one'])).get('one')).toBe('swarm');
});

it('a move is seen at once by whatever looks', async () => {
  const { rows, known } = makeRows({ one: 'local' });
  await known.read(['one']);
  rows['one'] = 'swarm';
  known.forget('one');
  expect((await known.recall(['one'])).get('one')).toBe('swarm');
});

it('an answer that was under way while an instance moved is not remembered', async () => {
  const { rows, known, hold } = makeRows({ one: 'local' });
  const release = hold();
  const late = known.read(['one']);
  rows['one'] = 'swarm';
  known.forget('one');
  release();
  expect((await late).get('one')).toBe('local');
  expect((await known.recall(['one'])).get('one')).toBe('swarm');
});
