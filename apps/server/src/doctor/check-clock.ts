/** This clock beside that of an NTP server, if it is told of one: nobody is asked unless an operator says whom. */
import { askTime, NTP_PORT } from './ask-time.ts';
import { type Finding, wordsOf } from './finding.ts';
import type { Means } from './means.ts';

/** A clock that is kept is nearer than that. */
const MOST_MS = 1_000;

/** `server`: as `NTP` has it, `time.example.org` or `[2001:db8::1]:123`. */
export async function checkClock(server: string, { lookup, now, patienceMs }: Means): Promise<Finding> {
  const { hostname, port } = new URL(`ntp://${server}`);
  const name = 'ntp';
  try {
    const [address = ''] = await lookup(hostname.replace(/^\[|\]$/g, ''));
    const { offsetMs, delayMs } = await askTime({ host: address, port: Number(port || NTP_PORT), now, patienceMs });
    const detail = `this clock is ${inSeconds(Math.abs(offsetMs))} s ${offsetMs > 0 ? 'behind' : 'ahead of'} ${server}, give or take ${inSeconds(delayMs / 2)}`;
    if (Math.abs(offsetMs) <= MOST_MS + delayMs / 2) return { name, detail };
    return { name, detail, fix: 'run NTP on this machine, and see what it says: chronyc tracking, or timedatectl' };
  } catch (error) {
    return {
      name,
      detail: `${server}: ${wordsOf(error)}`,
      fix: 'see whether UDP gets there and back, or name another server',
    };
  }
}

function inSeconds(ms: number): string {
  return (ms / 1_000).toFixed(3);
}
