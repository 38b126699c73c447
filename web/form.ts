// One form: what was typed, remarks at the fields, sending once.

import { useMutation } from '@tanstack/react-query';
import { useRef, useState, type FormEvent } from 'react';
import type { z } from 'zod';
import { ApiError } from './api.ts';

export type Values = Record<string, string>;
type Remarks = Record<string, string>;

export type FormPlan<S extends z.ZodType, V extends Values, R> = {
  schema: S;
  initial: V;
  /** What the typed values mean; left out, they are sent as they are, without empty ones. */
  toBody?: (values: V) => unknown;
  send: (body: z.output<S>) => Promise<R>;
  /** `clear` empties the form again. */
  onDone: (result: R, clear: () => void) => void;
};

export type Form<V extends Values> = {
  values: V;
  set: (name: keyof V & string, value: string) => void;
  /** Looks at one field when the reader leaves it. */
  leave: (name: keyof V & string) => void;
  remark: (name: keyof V & string) => string | undefined;
  submit: (event: FormEvent) => void;
  isPending: boolean;
  /** What the server said, unless it only concerns single fields that are on this form. */
  problem: ApiError | null;
  /** Empties the form. */
  clear: () => void;
};

/** Keeps what was typed whatever the server answers; a second submit while one is under way does nothing. */
export function useForm<S extends z.ZodType, V extends Values, R>(plan: FormPlan<S, V, R>): Form<V> {
  const [values, setValues] = useState<V>(plan.initial);
  const [remarks, setRemarks] = useState<Remarks>({});
  const isSending = useRef(false);
  const clear = (): void => setValues(plan.initial);
  const mutation = useMutation<R, Error, z.output<S>>({
    mutationFn: plan.send,
    onSuccess: (result) => plan.onDone(result, clear),
    onError: (error) => error instanceof ApiError && setRemarks({ ...error.fields }),
    onSettled: () => {
      isSending.current = false;
    },
  });
  const check = (next: V): { body: z.output<S> | undefined; remarks: Remarks } => checkValues(plan, next);
  return {
    values,
    set: (name, value) => {
      setValues((old) => ({ ...old, [name]: value }));
      setRemarks(({ [name]: _gone, ...others }) => others);
    },
    leave: (name) => {
      const remark = values[name] === '' ? undefined : check(values).remarks[name];
      if (remark !== undefined) setRemarks((old) => ({ ...old, [name]: remark }));
    },
    remark: (name) => remarks[name],
    submit: (event) => {
      event.preventDefault();
      event.stopPropagation();
      const checked = check(values);
      setRemarks(checked.remarks);
      if (checked.body === undefined) return focusFirstRemark(event);
      if (isSending.current) return;
      isSending.current = true;
      mutation.mutate(checked.body);
    },
    isPending: mutation.isPending,
    problem: asProblem(mutation.error, values),
    clear,
  };
}

/** Fields with a remark first on the page get the focus, so that nobody has to search. */
function focusFirstRemark(event: FormEvent): void {
  const form = event.currentTarget;
  requestAnimationFrame(() => form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
}

/** The first remark of each field, or the body that may be sent. */
export function checkValues<S extends z.ZodType, V extends Values>(
  plan: Pick<FormPlan<S, V, never>, 'schema' | 'toBody'>,
  values: V,
): { body: z.output<S> | undefined; remarks: Remarks } {
  const body = plan.toBody ? plan.toBody(values) : Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''));
  const answer = plan.schema.safeParse(body);
  if (answer.success) return { body: answer.data, remarks: {} };
  const remarks: Remarks = {};
  for (const { path, message } of answer.error.issues) {
    const name = String(path[0] ?? '');
    remarks[name] ??= values[name] === '' ? 'Please fill this in.' : message;
  }
  return { body: undefined, remarks };
}

function asProblem(error: Error | null, values: Values): ApiError | null {
  if (error === null) return null;
  if (!(error instanceof ApiError))
    return new ApiError({ status: 0, code: 'internal', title: 'Something unexpected happened in this page.', hint: 'Reload the page and try again.' });
  const fields = Object.keys(error.fields);
  const isAtFields = ['invalid_input', 'key_invalid', 'host_name_refused'].includes(error.code) && fields.length > 0 && fields.every((name) => name in values);
  return isAtFields ? null : error;
}
