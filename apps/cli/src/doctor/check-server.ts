/** Is the server there, is it a Sealwire server, and do its clock and ours agree? Needs no keys. */
import type { ClientRuntime } from '@sealwire/client/runtime';
import { WellKnown } from '@sealwire/wire/http';
import { LIMITS } from '@sealwire/wire/limits';
import { fixOf, reasonOf } from '../network-reason.ts';
import type { Finding } from './finding.ts';

const PATIENCE_MS = 10_000;
const WELL_KNOWN = '/.well-known/sealwire';

export async function* checkServer(
  server: string,
  { fetch, now }: Pick<ClientRuntime, 'fetch' | 'now'>,
  interrupted: AbortSignal,
): AsyncGenerator<Finding> {
  const get = (path: string) =>
    fetch(server.replace(/\/$/, '') + path, {
      signal: AbortSignal.any([interrupted, AbortSignal.timeout(PATIENCE_MS)]),
      redirect: 'manual',
    });

  let response: Response;
  try {
    response = await get(WELL_KNOWN);
  } catch (error) {
    return yield { name: 'server', detail: `${server} is not reached (${wordsOf(error)})`, fix: fixOf(error) };
  }
  const location = response.headers.get('location');
  if (response.status >= 300 && response.status < 400 && location !== null) return yield redirected(server, location);
  const wellKnown = WellKnown.safeParse(await response.json().catch(() => undefined));
  if (!wellKnown.success) {
    const detail = `${server} answers ${response.status}, and not as a Sealwire server`;
    return yield { name: 'server', detail, fix: 'check the address; a proxy must pass /.well-known/sealwire on' };
  }
  const { version, domain, gate } = wellKnown.data;
  yield { name: 'server', detail: `${server}, version ${version}, domain ${domain}, gate ${gate}` };

  const health = await get('/livez').catch(wordsOf);
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

/** The client follows no redirect: whoever can send one would be handed its logins. */
function redirected(server: string, location: string): Finding {
  const url = URL.parse(location, `${server.replace(/\/$/, '')}${WELL_KNOWN}`);
  const detail = `${server} sends us to ${url?.href ?? location}`;
  const isServer = url !== null && /^https?:$/.test(url.protocol) && url.pathname.endsWith(WELL_KNOWN);
  if (!isServer) return { name: 'server', detail, fix: `check the address; a proxy must pass ${WELL_KNOWN} on` };
  const there = url.origin + url.pathname.slice(0, -WELL_KNOWN.length);
  return {
    name: 'server',
    detail,
    fix: `if that is right: sealwire move -s ${there}, or -s ${there} where nobody is registered yet`,
  };
}

function wordsOf(error: unknown): string {
  const { name, message } = error as Error;
  if (name === 'TimeoutError') return `no answer within ${PATIENCE_MS / 1_000} s`;
  return reasonOf(error) ?? message;
}
