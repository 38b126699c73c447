// The browser's copy of the server's rows, and what happens when an answer says "not signed in".

import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { ApiError, isSignedOut } from './api.ts';

const onError = (error: Error): void => {
  if (isSignedOut(error)) queryClient.setQueryData(['me'], null);
};

/** `networkMode: always`: a lab's network may have no way out, and browsers then call themselves offline. */
export const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      networkMode: 'always',
      retry: (failures, error) => failures < 3 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
      retryDelay: (attempt) => Math.min(500 * 2 ** attempt, 4_000),
    },
    mutations: { networkMode: 'always' },
  },
});
