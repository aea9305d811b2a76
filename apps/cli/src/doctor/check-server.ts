/** Is the server there, is it a Sealwire server, and do its clock and ours agree? Needs no keys. */
import type { ClientRuntime } from '@sealwire/client/runtime';
import { WellKnown } from '@sealwire/wire/http';
import { LIMITS } from '@sealwire/wire/limits';
import { reasonOfCode } from '../network-reason.ts';
import type { Finding } from './finding.ts';

const PATIENCE_MS = 10_000;

export async function* checkServer(
  server: string,
  { fetch, now }: Pick<ClientRuntime, 'fetch' | 'now'>,
  interrupted: AbortSignal,
): AsyncGenerator<Finding> {
  const get = (path: string) =>
    fetch(server.replace(/\/$/, '') + path, {
      signal: AbortSignal.any([interrupted, AbortSignal.timeout(PATIENCE_MS)]),
    });

  let response: Response;
  try {
    response = await get('/.well-known/sealwire');
  } catch (error) {
    const detail = `${server} is not reached (${reasonOf(error)})`;
    return yield { name: 'server', detail, fix: 'start it (npm start), or name another with -s' };
  }
  const wellKnown = WellKnown.safeParse(await response.json().catch(() => undefined));
  if (!wellKnown.success) {
    const detail = `${server} answers ${response.status}, and not as a Sealwire server`;
    return yield { name: 'server', detail, fix: 'check the address; a proxy must pass /.well-known/sealwire on' };
  }
  const { version, domain, gate } = wellKnown.data;
  yield { name: 'server', detail: `${server}, version ${version}, domain ${domain}, gate ${gate}` };

  const health = await get('/livez').catch(reasonOf);
  yield typeof health === 'object' && health.ok
    ? { name: 'health', detail: 'alive' }
    : {
        name: 'health',
        detail: `/livez says ${typeof health === 'object' ? health.status : health}`,
        fix: "look at the server's log",
      };
  yield clockFinding(response.headers.get('date'), now());
}

/** The header has whole seconds; a login tolerates `clockSkewMs`. */
function clockFinding(header: string | null, now: number): Finding {
  const theirs = header === null ? Number.NaN : Date.parse(header);
  if (Number.isNaN(theirs)) return { name: 'clock', detail: 'the server does not say what time it is' };
  const seconds = Math.round((now - theirs) / 1_000);
  if (Math.abs(now - theirs) <= LIMITS.clockSkewMs.value)
    return { name: 'clock', detail: `${Math.abs(seconds)} s apart` };
  const detail = `this clock is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} the server's`;
  return { name: 'clock', detail, fix: 'set the clock of this machine, or of the server (NTP)' };
}

function reasonOf(error: unknown): string {
  const { cause, name, message } = error as Error;
  if (name === 'TimeoutError') return `no answer within ${PATIENCE_MS / 1_000} s`;
  return reasonOfCode((cause as { code?: string } | undefined)?.code) ?? message;
}
