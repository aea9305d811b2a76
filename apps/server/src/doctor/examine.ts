/** All checks of an installation, one after another, each within bounded time: what is wrong with one keeps no other from being made. */

import { checkClock } from './check-clock.ts';
import { checkBackups, checkDisks, checkOpenFiles } from './check-machine.ts';
import { checkCertificate, checkName, checkUrls, clockFinding } from './check-origin.ts';
import { checkBlobs, checkBus, checkPeers, checkStore, type Parts } from './check-parts.ts';
import { checkSocket } from './check-socket.ts';
import type { Finding } from './finding.ts';
import type { Means } from './means.ts';
import type { DoctorSettings } from './settings.ts';

const RELAY_PATH = '/relay';

export interface Patient {
  readonly settings: DoctorSettings;
  readonly parts: Parts;
  readonly means: Means;
  /** The name of the file that is written and deleted. */
  readonly probeId: string;
}

export async function* examine(patient: Patient): AsyncGenerator<Finding> {
  const { settings, parts, means, probeId } = patient;
  const { PUBLIC_ORIGIN: base, DOMAIN, STORE_URL, BLOBS_URL } = settings;
  if (base === undefined)
    yield { name: 'origin', detail: 'nothing is looked at from outside', fix: 'set PUBLIC_ORIGIN' };
  else yield* fromOutside(base, DOMAIN, means);
  yield* await checkStore(STORE_URL, parts, means, () => healthOf(settings, means));
  yield await checkBus(settings.BUS_URL, parts.openBus, means.patienceMs);
  yield* checkPeers(settings.BUS_PEERS, settings.BUS_URL, parts.openBus, means.patienceMs);
  yield await checkBlobs(parts.openBlobs, probeId, means);
  const clock = await clockOfFiles(BLOBS_URL, means);
  if (clock) yield clock;
  if (settings.NTP !== undefined) yield await checkClock(settings.NTP, means);
  const [, store] = /^lmdb:(.+)$/.exec(STORE_URL) ?? [];
  const [, files] = /^file:(.+)$/.exec(BLOBS_URL) ?? [];
  const { UPLOADS_STOP_BELOW_BYTES: least, BACKUPS_DIR: backups } = settings;
  const folders = { ...(store && { store }), ...(files && { files }), ...(backups && { backups }) };
  yield* checkDisks(folders, least, means);
  const openFiles = checkOpenFiles(store, means);
  if (openFiles) yield openFiles;
  yield checkBackups(backups, settings.BACKUP_HOURS, means.now());
}

async function* fromOutside(base: string, domain: string | undefined, means: Means): AsyncGenerator<Finding> {
  const origin = new URL(base);
  const named = await checkName(origin, means);
  yield named;
  if (named.fix !== undefined) return;
  const certificate = await checkCertificate(origin, means);
  if (certificate) yield certificate;
  const found = await checkUrls(base, domain, means);
  yield* found;
  if (found.length > 1) yield await checkSocket(base, RELAY_PATH, means);
}

/** What `/readyz` says of the server that runs here; undefined: nothing answers. */
async function healthOf(
  { LISTEN, TLS_CERT_FILE }: DoctorSettings,
  { fetch, patienceMs }: Means,
): Promise<string | undefined> {
  const host = ['0.0.0.0', '::'].includes(LISTEN.host) ? 'localhost' : LISTEN.host;
  const named = host.includes(':') ? `[${host}]` : host;
  const url = `${TLS_CERT_FILE === undefined ? 'http' : 'https'}://${named}:${LISTEN.port}/readyz`;
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(patienceMs) });
    return (await answer.text()).trim().slice(0, 100);
  } catch {
    return undefined;
  }
}

/** An S3 server signs and judges by its own clock. Undefined: the files lie in a folder, or it does not answer, which another check tells. */
async function clockOfFiles(url: string, { fetch, now, patienceMs }: Means): Promise<Finding | undefined> {
  const [, endpoint] = /^s3\+(https?:\/\/[^/]+)/.exec(url) ?? [];
  if (endpoint === undefined) return undefined;
  try {
    const answer = await fetch(endpoint, { signal: AbortSignal.timeout(patienceMs), redirect: 'manual' });
    return clockFinding('clock', 'the S3 server', Date.parse(answer.headers.get('date') ?? ''), now());
  } catch {
    return undefined;
  }
}
