// The end of a form: what the server said, then the buttons, the safe one first in a dialog.

import type { ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import type { ApiError } from '../api.ts';
import { ProblemMessage } from './ProblemMessage.tsx';

type Form = { isPending: boolean; problem: ApiError | null };
type Props = { form: Form; verb: string; isDangerous?: boolean; isReady?: boolean };

/** Of a form on a page. */
export function SubmitBar({ form, verb, isReady = true }: Props): ReactNode {
  return (
    <>
      {form.problem && <ProblemMessage error={form.problem} />}
      <Button type="submit" primary size="large" loading={form.isPending} disabled={form.isPending || !isReady}>
        {verb}
      </Button>
    </>
  );
}

/** Of a form in a dialog; Cancel has the first focus when the act is one to think about. */
export function DialogActions({
  form,
  verb,
  isDangerous = false,
  isReady = true,
  onCancel,
  isCancelFirst = false,
}: Props & { onCancel: () => void; isCancelFirst?: boolean }): ReactNode {
  return (
    <div className="actions">
      <Button type="button" basic onClick={onCancel} {...(isCancelFirst ? { 'data-first-focus': true } : {})}>
        Cancel
      </Button>
      <Button type="submit" primary={!isDangerous} negative={isDangerous} loading={form.isPending} disabled={form.isPending || !isReady}>
        {verb}
      </Button>
    </div>
  );
}
