// How another machine becomes a host: the command with its secret, asked for by a click, gone after a minute.

import { useMutation } from '@tanstack/react-query';
import { useEffect, type ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import { joinCommandSchema } from '../../contracts/hosts.ts';
import { request } from '../api.ts';
import { Commands } from './Commands.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';

const shownMs = 60_000;

export function JoinCommand(): ReactNode {
  const { data, error, isPending, mutate, reset } = useMutation({
    mutationFn: () => request(joinCommandSchema, '/system/hosts/join-command', { method: 'POST' }),
    networkMode: 'always',
    gcTime: 0,
  });
  useEffect(() => {
    if (data === undefined) return undefined;
    const timer = window.setTimeout(reset, shownMs);
    return () => window.clearTimeout(timer);
  }, [data, reset]);
  return (
    <>
      {data === undefined ? (
        <p>
          <Button type="button" basic loading={isPending} disabled={isPending} onClick={() => mutate()}>
            Add a host…
          </Button>
        </p>
      ) : (
        <>
          <p>
            Type this on the other machine, as root. It needs a Docker Engine that may use the registry, and the ports of{' '}
            <a href="/help/swarm">several hosts</a> open. Whoever has this line can add a machine: that you saw it is recorded, and it goes away after a minute.
          </p>
          <Commands lines={[data.command]} what="join command" />
        </>
      )}
      {error && <ProblemMessage error={error} />}
    </>
  );
}
