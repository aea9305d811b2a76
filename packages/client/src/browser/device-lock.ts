/**
 * One owner a device: two of one ratchet would encrypt two messages under one key (cases F17, S21).
 * A Web Lock is known to all pages and workers of the origin, and the browser takes it from one
 * that is gone, however it went.
 */
import { asClientError, ClientError } from '../errors.ts';
import type { Timers } from '../runtime.ts';
import type { LockManager } from './platform.ts';

/** A page that is loaded again may begin before the one that it replaces has ended. */
const PATIENCE_MS = 2_000;

/**
 * Resolves with what gives the lock back. Rejects with `ClientError` `locked` when somebody else
 * keeps it. `lost`: somebody has taken it by force; this owner must not write any more.
 */
export function lockDevice(
  name: string,
  locks: LockManager,
  timers: Timers,
  lost: (reason: ClientError) => void,
): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const impatience = new AbortController();
    const cancel = timers.after(PATIENCE_MS, () => impatience.abort());
    let isHeld = false;
    const held = () =>
      new Promise<void>((release) => {
        isHeld = true;
        cancel();
        resolve(release);
      });
    locks.request(`sealwire/${name}`, { signal: impatience.signal }, held).catch((cause: unknown) => {
      cancel();
      if (isHeld) lost(new ClientError('locked', 'another page took this device over: close one of them', { cause }));
      else if (!impatience.signal.aborted) reject(asClientError(cause, 'storage-failed'));
      else
        reject(new ClientError('locked', 'another page or tab uses this device: close it, or go on there', { cause }));
    });
  });
}
