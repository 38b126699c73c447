// What the experiment writes while it runs: followed, searched, downloaded.

import { useId, useState, type ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import { instanceApi } from '../addresses.ts';
import { countOf, describeNumber } from '../numbers.ts';
import { useLogSearch, useRuntimeLog } from '../runtime-log.ts';
import { Answer, Loading } from './Answer.tsx';
import { Glyph } from './Glyph.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { Terminal } from './Terminal.tsx';

export function RuntimeLog({ name }: { name: string }): ReactNode {
  const [isFollowing, setFollowing] = useState(true);
  const [wanted, setWanted] = useState('');
  return (
    <>
      <LogTools name={name} isFollowing={isFollowing} onFollow={setFollowing} onSearch={setWanted} />
      {wanted === '' ? <Followed name={name} isFollowing={isFollowing} /> : <Found name={name} text={wanted} />}
    </>
  );
}

type Tools = { name: string; isFollowing: boolean; onFollow: (isFollowing: boolean) => void; onSearch: (text: string) => void };

function LogTools({ name, isFollowing, onFollow, onSearch }: Tools): ReactNode {
  const id = useId();
  const [typed, setTyped] = useState('');
  const clear = (): void => {
    setTyped('');
    onSearch('');
  };
  return (
    <form
      className="log-tools"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        onSearch(typed.trim());
      }}
    >
      <label htmlFor={id} className="said">
        Search the log
      </label>
      <div className="ui action input">
        <input id={id} type="search" value={typed} maxLength={200} placeholder="Search the log" onChange={(event) => setTyped(event.target.value)} />
        <Button type="submit" basic>
          Search
        </Button>
      </div>
      {typed !== '' && (
        <Button type="button" basic onClick={clear}>
          Show all
        </Button>
      )}
      <Button type="button" basic onClick={() => onFollow(!isFollowing)}>
        <Glyph name={isFollowing ? 'pause' : 'play'} /> {isFollowing ? 'Pause' : 'Follow'}
      </Button>
      <Button as="a" role="link" basic href={`/api/v1${instanceApi(name, '/logs/file')}`} download>
        <Glyph name="download" /> Download
      </Button>
    </form>
  );
}

function Followed({ name, isFollowing }: { name: string; isFollowing: boolean }): ReactNode {
  const log = useRuntimeLog(name, isFollowing);
  if (log.data === undefined) return log.error ? <ProblemMessage error={log.error} onRetry={() => void log.refetch()} /> : <Loading />;
  return (
    <>
      {log.error && <ProblemMessage error={log.error} onRetry={() => void log.refetch()} />}
      {log.data.text === '' ? <p className="quiet">The experiment has written nothing yet.</p> : <Terminal text={log.data.text} name="runtime log" />}
    </>
  );
}

function Found({ name, text }: { name: string; text: string }): ReactNode {
  const search = useLogSearch(name, text);
  return (
    <Answer query={search}>
      {({ lines, found, isCut }) => (
        <>
          <p role="status">
            {found === 0 ? `No line holds “${text}”.` : `${countOf(found, 'line')} with “${text}”.`}
            {found > lines.length && ` The newest ${describeNumber(lines.length)} are shown.`}
            {isCut && ' The search took too long and was broken off; download the log to look through all of it.'}
          </p>
          {lines.length > 0 && <Terminal text={lines.map((line) => `${line.number}: ${line.text}`).join('\n')} name="lines found" />}
        </>
      )}
    </Answer>
  );
}
