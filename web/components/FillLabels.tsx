// Two ways to a list of labels without typing it: a file, or a prefix and how many.

import { useId, useState, type ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import { makeLabels, maxLabels } from '../../contracts/rooms.ts';
import { readTextFile } from '../rooms.ts';

/** @param onFill gets the text that takes the place of the present one */
export function FillLabels({ onFill }: { onFill: (text: string) => void }): ReactNode {
  const id = useId();
  const [prefix, setPrefix] = useState('A');
  const [count, setCount] = useState('24');
  const number = Number(count);
  const isNumber = Number.isInteger(number) && number >= 1 && number <= maxLabels;
  return (
    <fieldset className="fill-labels">
      <legend>Fill the list</legend>
      <div className="field">
        <label htmlFor={`${id}-prefix`}>Begin with</label>
        <input id={`${id}-prefix`} className="code" value={prefix} maxLength={20} autoComplete="off" onChange={(event) => setPrefix(event.target.value)} />
      </div>
      <div className="field">
        <label htmlFor={`${id}-count`}>How many</label>
        <input id={`${id}-count`} type="number" min={1} max={maxLabels} value={count} onChange={(event) => setCount(event.target.value)} />
      </div>
      <Button type="button" basic disabled={!isNumber} onClick={() => onFill(makeLabels(prefix, number).join('\n'))}>
        {isNumber ? `Make me ${number}` : 'Make labels'}
      </Button>
      <div className="field file">
        <label htmlFor={`${id}-file`}>Or a file, .txt or .csv, one label per line</label>
        <input
          id={`${id}-file`}
          type="file"
          accept=".txt,.csv,text/plain,text/csv"
          onChange={(event) => {
            const [file] = event.target.files ?? [];
            if (file) void readTextFile(file).then(onFill);
            event.target.value = '';
          }}
        />
      </div>
    </fieldset>
  );
}
