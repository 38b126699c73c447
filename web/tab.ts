// What every tab of an instance gets from the page around it.

import { useOutletContext } from 'react-router';
import type { InstanceView } from '../contracts/instances.ts';
import type { ActionKind } from './instance-actions.ts';

export type TabContext = { instance: InstanceView; ask: (kind: ActionKind) => void };

export const useTab = (): TabContext => useOutletContext<TabContext>();
