// Imprint and privacy on the System page: written in Markdown, read by everybody.

import { useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { changeLegalTextSchema, legalTextSchema, type LegalPageName, type LegalText } from '../../contracts/legal.ts';
import { request } from '../api.ts';
import { useForm } from '../form.ts';
import { useLegalTexts } from '../panel.ts';
import { showToast } from '../toasts.ts';
import { Ago } from './Ago.tsx';
import { Answer } from './Answer.tsx';
import { FactGroup } from './Facts.tsx';
import { SubmitBar } from './SubmitBar.tsx';
import { TextField } from './TextField.tsx';

const titles: Readonly<Record<LegalPageName, string>> = { imprint: 'Imprint', privacy: 'Privacy' };

export function LegalGroup(): ReactNode {
  return (
    <FactGroup title="Legal pages">
      <p>Participants and visitors find them at the foot of the Lobby and of the sign-in page. An empty text takes the page away.</p>
      <Answer query={useLegalTexts()}>
        {(pages) =>
          pages.map((page) => (
            <details key={page.name} className="fold">
              <summary>
                {titles[page.name]} <small className="quiet">{page.text.trim() === '' ? 'no page yet' : 'published'}</small>
              </summary>
              <LegalForm page={page} />
            </details>
          ))
        }
      </Answer>
    </FactGroup>
  );
}

function LegalForm({ page }: { page: LegalText }): ReactNode {
  const client = useQueryClient();
  const [saved, setSaved] = useState(page);
  const form = useForm({
    schema: changeLegalTextSchema,
    initial: { text: page.text },
    toBody: ({ text }) => ({ text, seenAt: saved.updatedAt }),
    send: (body) => request(legalTextSchema, `/legal/${page.name}`, { method: 'PATCH', body }),
    onDone: (next) => {
      setSaved(next);
      showToast(next.text.trim() === '' ? `There is no page “${titles[page.name]}” any more.` : `The page “${titles[page.name]}” is published.`);
      void client.invalidateQueries({ queryKey: ['legal'] });
      void client.invalidateQueries({ queryKey: ['panel'] });
    },
  });
  return (
    <form className="ui form" onSubmit={form.submit}>
      <TextField
        form={form}
        name="text"
        label="Text"
        rows={14}
        hint="Markdown: # heading, **bold**, [link](https://…), lists with hyphens. HTML is shown as it is typed; links lead to http, https and mailto only."
      />
      <SubmitBar form={form} verb="Save" isReady={form.values.text !== saved.text} />
      {saved.updatedAt !== null && (
        <p className="quiet">
          Saved by {saved.updatedByName}, <Ago at={saved.updatedAt} />. {saved.text.trim() !== '' && <a href={`/legal/${page.name}`}>See the page</a>}
        </p>
      )}
    </form>
  );
}
