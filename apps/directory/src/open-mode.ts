/**
 * Open mode: to the LIME key server everybody is who they say they are. For tests and closed networks; so it is off unless switched on,
 * stays on this machine unless a second setting says otherwise, and is never quiet about itself.
 */
import { ConfigError } from '@sealwire/service/config';
import type { Log } from '@sealwire/service/log';
import { isLoopback } from '@sealwire/service/settings';
import type { DirectorySettings } from './settings.ts';

const SAY_EVERY_MS = 5 * 60_000;

/** Calls `run` every `ms`; the answer ends that. */
export type Repeat = (ms: number, run: () => void) => () => void;

export const platformRepeat: Repeat = (ms, run) => {
  const timer = setInterval(run, ms);
  timer.unref();
  return () => clearInterval(timer);
};

/**
 * Warns in the log, now and again until the answer is called; does nothing when open mode is off. Throws `ConfigError` when it is on and
 * the server listens to more than this machine, without `OPEN_MODE_ANYWHERE`.
 */
export function announceOpenMode(settings: DirectorySettings, log: Log, repeat: Repeat): () => void {
  if (settings.OPEN_MODE === 'off') return () => {};
  const { host } = settings.LISTEN;
  if (settings.OPEN_MODE_ANYWHERE === 'off' && host !== '::1' && !isLoopback(host))
    throw new ConfigError(
      'OPEN_MODE',
      `is on, and ${host} is more than this machine itself`,
      'listen on 127.0.0.1, or set OPEN_MODE_ANYWHERE=on if nobody but you reaches this network',
    );
  const say = () =>
    log.warn('open-mode', {
      setting: 'OPEN_MODE',
      reason: 'NO AUTHENTICATION for LIME clients: whoever reaches this server is any device they say',
    });
  say();
  return repeat(SAY_EVERY_MS, say);
}
