/**
 * Orders about maintenance: while it lasts nobody logs in, makes an account or links a device; who is connected stays as long as the token
 * lasts, and messages are taken.
 */

import { readMaintenance, writeMaintenance } from '@sealwire/store/operator';
import { z } from 'zod';
import { type NoticeDeps, sendNotice } from './notices.ts';
import { type AdminOperation, operation } from './operation.ts';

const MINUTE_MS = 60_000;

export function maintenanceOperations(deps: NoticeDeps): readonly AdminOperation[] {
  const { store, now } = deps;
  return [
    operation('maintenance on', {
      needs: 'operator',
      changes: true,
      body: z.strictObject({ minutes: z.int().min(1).max(1_440), text: z.string().min(1).max(1_000).optional() }),
      async run({ minutes, text }) {
        const mode = { since: now(), retryAfterSeconds: minutes * 60 };
        await writeMaintenance(store, mode);
        const said = text ?? `Maintenance: no new logins for about ${minutes} minutes. Messages are still taken.`;
        await sendNotice(deps, said, minutes * MINUTE_MS);
        return mode;
      },
    }),
    operation('maintenance off', {
      needs: 'operator',
      changes: true,
      body: z.strictObject({}),
      async run() {
        await writeMaintenance(store, undefined);
        return {};
      },
    }),
    operation('maintenance show', {
      needs: 'viewer',
      body: z.strictObject({}),
      async run() {
        const mode = await readMaintenance(store);
        return mode ? { isOn: true, ...mode } : { isOn: false };
      },
    }),
  ];
}
