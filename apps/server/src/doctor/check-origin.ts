/** From outside: is the name known, does the certificate hold, do all servers answer at the public origin, does its clock agree with ours? */
import { connect, type PeerCertificate } from 'node:tls';
import { WellKnown } from '@sealwire/wire/http';
import { LIMITS } from '@sealwire/wire/limits';
import { type Finding, wordsOf } from './finding.ts';
import type { Means } from './means.ts';

const DAY_MS = 86_400_000;
/** What renews a certificate has begun long before. */
const LEAST_DAYS = 14;

/** Of TLS errors, those whose fix is known. */
const CHAIN_FIXES: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'serve the whole chain (fullchain.pem), not the certificate alone',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'serve the whole chain (fullchain.pem), not the certificate alone',
  CERT_HAS_EXPIRED: 'renew it, and see why nothing renewed it by itself',
  CERT_NOT_YET_VALID: 'see the clock of this machine',
  ERR_TLS_CERT_ALTNAME_INVALID: 'get one for the host of PUBLIC_ORIGIN',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'clients refuse it: get one of an authority that they know',
  SELF_SIGNED_CERT_IN_CHAIN: 'clients refuse it: get one of an authority that they know',
};

export async function checkName({ hostname }: URL, { lookup }: Means): Promise<Finding> {
  const host = hostname.replace(/^\[|\]$/g, '');
  try {
    const addresses = await lookup(host);
    return { name: 'dns', detail: `${host} is ${addresses.join(', ')}` };
  } catch (error) {
    return {
      name: 'dns',
      detail: `${host} is not known (${wordsOf(error)})`,
      fix: 'add it to the name server, or correct PUBLIC_ORIGIN',
    };
  }
}

/** Undefined: it is plain HTTP, within this machine. */
export async function checkCertificate(origin: URL, means: Means): Promise<Finding | undefined> {
  if (origin.protocol !== 'https:') return undefined;
  const host = origin.hostname.replace(/^\[|\]$/g, '');
  try {
    const { certificate, fault } = await certificateOf(host, Number(origin.port || 443), means);
    const ends = Date.parse(certificate.valid_to);
    const days = Math.floor((ends - means.now()) / DAY_MS);
    const detail = `${host}: ends in ${days} days (${certificate.valid_to})`;
    if (fault)
      return {
        name: 'tls',
        detail: `${detail}; ${fault}`,
        fix: CHAIN_FIXES[fault] ?? 'get a certificate that clients accept',
      };
    if (days >= LEAST_DAYS) return { name: 'tls', detail };
    return { name: 'tls', detail, fix: 'renew it now, and see why nothing renewed it by itself' };
  } catch (error) {
    return {
      name: 'tls',
      detail: `${host} speaks no TLS (${wordsOf(error)})`,
      fix: 'see the proxy, or TLS_CERT_FILE and TLS_KEY_FILE',
    };
  }
}

function certificateOf(host: string, port: number, { authorities, patienceMs }: Means) {
  return new Promise<{ certificate: PeerCertificate; fault: string | undefined }>((resolve, reject) => {
    const ca = authorities === undefined ? {} : { ca: [...authorities] };
    const socket = connect({
      host,
      port,
      servername: /^[\d.:]+$/.test(host) ? '' : host,
      rejectUnauthorized: false,
      ...ca,
    });
    socket.setTimeout(patienceMs, () =>
      socket.destroy(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' })),
    );
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      const error = socket.authorizationError as Error | string | undefined;
      const fault = socket.authorized ? undefined : String((error as { code?: string })?.code ?? error);
      resolve({ certificate: socket.getPeerCertificate(), fault });
      socket.destroy();
    });
  });
}

/** Each server by something that it alone answers; `base`: PUBLIC_ORIGIN, with its path. */
export async function checkUrls(base: string, domain: string | undefined, means: Means): Promise<Finding[]> {
  const get = (path: string) =>
    means.fetch(base + path, { signal: AbortSignal.timeout(means.patienceMs), redirect: 'manual' });
  const findings: Finding[] = [];
  const path = '/.well-known/sealwire';
  try {
    const answer = await get(path);
    const known = WellKnown.safeParse(await answer.json().catch(() => undefined));
    if (!known.success)
      findings.push({
        name: 'api',
        detail: `${base}${path} answers ${answer.status}, and not as a Sealwire server`,
        fix: `let the proxy pass ${path} and /v1 on to the API server`,
      });
    else if (domain !== undefined && known.data.domain !== domain)
      findings.push({
        name: 'api',
        detail: `${base} is of the domain ${known.data.domain}`,
        fix: `DOMAIN is ${domain} here: correct PUBLIC_ORIGIN, or where the name leads`,
      });
    else findings.push({ name: 'api', detail: `${base}, version ${known.data.version}, domain ${known.data.domain}` });
    findings.push(
      clockFinding('clock', 'the public origin', Date.parse(answer.headers.get('date') ?? ''), means.now()),
    );
  } catch (error) {
    return [
      {
        name: 'api',
        detail: `${base} is not reached (${wordsOf(error)})`,
        fix: 'see that the proxy runs, and that the firewall lets its port in; from inside, that the address is reached from here',
      },
    ];
  }
  // No address has this name: whoever says so with a problem of ours is the directory.
  const answer = await get('/directory/manifests/-').catch(wordsOf);
  const isOurs =
    typeof answer === 'object' && answer.headers.get('content-type')?.startsWith('application/problem+json');
  findings.push(
    isOurs && answer.status < 500
      ? { name: 'directory', detail: `${base}/directory answers` }
      : {
          name: 'directory',
          detail: `${base}/directory: ${typeof answer === 'object' ? answer.status : answer}`,
          fix: 'let the proxy pass /directory and /lime on to the key directory, and see that it runs',
        },
  );
  return findings;
}

/** `theirs`: ms since 1970, whole seconds; NaN: not told. */
export function clockFinding(name: string, of: string, theirs: number, now: number): Finding {
  if (Number.isNaN(theirs)) return { name, detail: `${of} does not say what time it is` };
  const seconds = Math.round((now - theirs) / 1_000);
  if (Math.abs(now - theirs) <= LIMITS.clockSkewMs.value)
    return { name, detail: `${Math.abs(seconds)} s from that of ${of}` };
  const detail = `this clock is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} that of ${of}`;
  return { name, detail, fix: 'run NTP on both machines' };
}
