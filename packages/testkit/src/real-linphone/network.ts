/** That nothing of these tests leaves the machine, whatever a Linphone is told (interop/linphone/loopback.c). */
import { join } from 'node:path';
import { Linphone } from '../../../../interop/linphone/linphone.mjs';
import type { Suite } from './suite.ts';

/** For documentation (RFC 5737): routed to nobody. */
const ELSEWHERE = '192.0.2.1';

export function network({ world, it }: Suite): void {
  it('a Linphone that is told to register elsewhere is refused by its own process: no packet leaves the machine', async () => {
    const { kit, folder } = world();
    const settings = { folder: join(folder, 'elsewhere'), name: 'mallory', uuid: 'elsewhere', sipPort: 5060 };
    const linphone = new Linphone(kit, { ...settings, sipHost: ELSEWHERE });
    try {
      await linphone.next('refused', { address: ELSEWHERE });
      await linphone.next('registration', { state: 'Failed' });
    } finally {
      await linphone.quit();
    }
  });
}
