/** Opens the sockets of many devices, so many a second, and measures each: login, then connection until the welcome. */
import { atOnce } from '@sealwire/light/at-once';
import type { LightDevice } from '@sealwire/light/device';
import { LoadError } from '../errors.ts';
import type { Scene } from './activity.ts';

/** Logins under way; what waits for an answer costs a server something. */
const AT_ONCE = 64;
/** A server that is busy lets somebody in later than what a short test waits for messages. */
const LEAST_WELCOME_MS = 8_000;

/** Rejects with a `LoadError` when one of them is not let in within the scene's patience, or eight seconds. */
export async function connectAll(
  { tally, now, connectRate, patienceMs }: Pick<Scene, 'tally' | 'now' | 'connectRate' | 'patienceMs'>,
  devices: readonly LightDevice[],
): Promise<void> {
  const start = now();
  let next = 0;
  await atOnce(devices, AT_ONCE, async (device) => {
    const due = start + (next++ * 1_000) / connectRate;
    if (due > now()) await new Promise((resolve) => setTimeout(resolve, due - now()));
    const began = now();
    await device.token();
    const loggedIn = now();
    tally.time('login', loggedIn - began);
    await within(device.hold(), Math.max(LEAST_WELCOME_MS, patienceMs));
    tally.time('connect', now() - loggedIn);
    if (!device.online)
      throw new LoadError(
        'failure',
        `${device.id} is not let in${device.refused === undefined ? '' : ` (close code ${device.refused})`}: look at the server's log; CONNECTIONS_PER_ADDRESS may be in the way`,
      );
    tally.count('connected');
  });
}

/** Resolves when `promise` does, or after `ms`. */
function within(promise: Promise<void>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void promise.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
