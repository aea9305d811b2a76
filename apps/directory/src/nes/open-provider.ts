/** What the provider needs beside the directory's own: opened by the composition root when the settings ask for it. */

import type { Mailer } from '@sealwire/mail/port';
import type { KeyPair } from '@sealwire/nes/keys';
import type { Log } from '@sealwire/service/log';
import { openServerMailer } from '@sealwire/service/mail';
import type { Metrics } from '@sealwire/service/metrics';
import type { DirectorySettings } from '../settings.ts';
import { providerKey } from './provider-key.ts';

export interface NesProvider {
  /** Signs the answers. */
  readonly key: KeyPair;
  readonly mailer: Mailer;
}

export interface NesProviderNeeds {
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'mails'>;
  readonly now: () => number;
  readonly random: (length: number) => Uint8Array;
  /** Where a key is kept that nobody gave; undefined: one must be given. */
  readonly keyFile?: string | undefined;
  /** Where mails go when nothing else is said; undefined: nowhere. */
  readonly mailFolder?: string | undefined;
}

/** Undefined: it is off. Throws `ConfigError`. */
export async function openNesProvider(
  settings: Pick<DirectorySettings, 'NES_PROVIDER' | 'DOMAIN'> &
    Partial<Pick<DirectorySettings, 'NES_KEY' | 'MAIL_URL' | 'MAIL_FROM'>>,
  { keyFile, mailFolder: folder, log, metrics, now, random }: NesProviderNeeds,
): Promise<NesProvider | undefined> {
  if (settings.NES_PROVIDER === 'off') return undefined;
  const key = await providerKey(settings.NES_KEY, keyFile, random);
  const needs = { neededBy: 'NES_PROVIDER=on', folder, log, metrics, now, random };
  return { key, mailer: await openServerMailer(settings, needs) };
}
