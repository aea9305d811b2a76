/** Orders about other domains: one that is blocked is asked nothing and answered nothing, and gets no codes by mail. */
import type { Store } from '@sealwire/store/port';
import { z } from 'zod';
import { type AdminOperation, operation } from './operation.ts';

const DOMAIN = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;
const MOST = 1_000;

export interface DomainsDeps {
  readonly store: Pick<Store, 'operatorRecords'>;
  readonly now: () => number;
}

export function domainOperations({ store: { operatorRecords }, now }: DomainsDeps): readonly AdminOperation[] {
  const body = z.strictObject({ domain: z.string().toLowerCase().regex(DOMAIN, 'a domain such as example.com') });
  const about = ({ domain }: { domain: string }) => domain;
  return [
    operation('domains list', {
      needs: 'viewer',
      body: z.strictObject({}),
      async run() {
        const found = await operatorRecords.list('domain', '', MOST);
        return { domains: found.map(({ key: domain, text }) => ({ domain, ...(JSON.parse(text) as object) })) };
      },
    }),
    operation('domains block', {
      needs: 'operator',
      changes: true,
      body,
      about,
      async run({ domain }) {
        const [known] = await operatorRecords.read('domain', [domain]);
        const text = JSON.stringify({ since: now() });
        if (!known) await operatorRecords.replace('domain', 0, { key: domain, version: 1, text });
        return { domain };
      },
    }),
    operation('domains unblock', {
      needs: 'operator',
      changes: true,
      body,
      about,
      async run({ domain }) {
        await operatorRecords.remove('domain', domain);
        return { domain };
      },
    }),
  ];
}
