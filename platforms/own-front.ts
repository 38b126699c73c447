// A front door that a platform has of its own: how it is to show an instance, and how it does.

import type { DoorCertificate } from './front-door.ts';
import type { InstanceSpec } from './platform.ts';

/** How a platform's own front door is to show an instance. */
export type FrontWish = Pick<InstanceSpec, 'instanceId' | 'hostName'> & {
  /** null: none of the panel's; one that the platform has otherwise stays. */
  readonly certificate: DoorCertificate | null;
};
/** How it shows it. */
export type FrontView = {
  /** Until when its certificate is valid (the year 1970 when that cannot be read); null: it is shown over plain http. */
  readonly certificateUntil: Date | null;
};
