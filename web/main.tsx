// Where the web room starts: styles, the copy of the server's rows, the routes.

import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { RouterProvider } from 'react-router/dom';
import { z } from 'zod';
import './fomantic.ts';
import './theme.css';
import './fomantic-theme.css';
import './fomantic-forms.css';
import './frame.css';
import './floats.css';
import './parts.css';
import './overview.css';
import './deploy.css';
import './jobs.css';
import './terminal.css';
import './recruit.css';
import './tables.css';
import './rooms.css';
import './instance.css';
import './instance-addresses.css';
import './system-check.css';
import './platform-choice.css';
import './preflight.css';
import './metrics.css';
import { ToastRegion } from './components/ToastRegion.tsx';
import { queryClient } from './query-client.ts';
import { router } from './routes.tsx';

// The panel's pages may not evaluate strings as code (Content-Security-Policy), which zod would try for speed.
z.config({ jitless: true });

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element with the id “root”.');

createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
      <ToastRegion />
    </QueryClientProvider>
  </StrictMode>,
);
