/** `sealwire-server doctor [SERVER]`: docs/operations/doctor.md. Exit code 0: all is well; 1: something is not; 2: a mistake. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { blobsTerms } from '@sealwire/api/settings';
import { openBlobs } from '@sealwire/blobs/open';
import { openBus } from '@sealwire/bus/open';
import { systemRandom } from '@sealwire/crypto/random';
import { aboutOf, ConfigError, loadConfig, processSources, type Settings } from '@sealwire/service/config';
import { lookAtDatabase } from '@sealwire/store/looking';
import { openStore } from '@sealwire/store/open';
import type { z } from 'zod';
import { examine } from './examine.ts';
import type { Finding } from './finding.ts';
import { systemMeans } from './means.ts';
import { concealing } from './secrets.ts';
import { doctorSettings, SERVER_NAMES, type ServerName } from './settings.ts';

/** Loaded when asked for: a server’s settings bring its modules along. */
const SCHEMAS: Readonly<Record<ServerName, () => Promise<Settings>>> = {
  all: async () => (await import('../settings.ts')).allSettings,
  api: async () => (await import('@sealwire/api/settings')).apiSettings,
  directory: async () => (await import('@sealwire/directory/settings')).directorySettings,
  relay: async () => (await import('@sealwire/relay/config')).relayConfig,
  solo: async () => (await import('@sealwire/solo/start')).soloSettings,
};

const { argv, ...sources } = processSources();
const isJson = argv.includes('--json');
const words = argv.filter((word) => word !== '--json');
const isNamed = words[0] !== undefined && !words[0].startsWith('-');
let failed = 0;

try {
  const server = serverOf(isNamed ? words[0]! : 'all');
  const own = { ...sources, argv: isNamed ? words.slice(1) : words };
  const schema = await SCHEMAS[server]();
  const secrets = Object.entries({ ...schema.shape, ...doctorSettings.shape }).flatMap(([name, field]) =>
    aboutOf(field as z.ZodType).secret ? [name] : [],
  );
  const conceal = concealing(withFiles(sources.env), secrets);
  const tell = (finding: Finding) => {
    if (finding.fix !== undefined) failed++;
    show(finding, conceal);
  };
  const loaded = loadConfig(doctorSettings, own);
  if (loaded.action === 'show') process.stdout.write(loaded.text);
  else {
    tell(configurationOf(schema, sources, server));
    const { settings } = loaded;
    const { DATA_DIR } = settings;
    const data = server === 'solo' ? (DATA_DIR ?? './data') : DATA_DIR;
    const placed =
      data === undefined
        ? settings
        : { ...settings, STORE_URL: `lmdb:${join(data, 'store')}`, BLOBS_URL: `file:${join(data, 'blobs')}` };
    const parts = {
      openStore,
      lookAtDatabase,
      openBus,
      openBlobs: () => openBlobs(placed.BLOBS_URL, blobsTerms(placed)),
    };
    const probeId = `doctor-${Buffer.from(systemRandom(9)).toString('hex')}`;
    for await (const finding of examine({ settings: placed, parts, means: systemMeans, probeId })) tell(finding);
    process.exitCode = failed > 0 ? 1 : 0;
  }
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`doctor: ${error.message}\n`);
  process.exitCode = error.exitCode;
}

function serverOf(word: string): ServerName {
  const name = SERVER_NAMES.find((each) => each === word);
  if (name) return name;
  throw new ConfigError('arguments', `there is no server ${word}`, `write one of ${SERVER_NAMES.join(', ')}, or none`);
}

/** As that server would read it, but for flags. */
function configurationOf(
  schema: Settings,
  of: Omit<ReturnType<typeof processSources>, 'argv'>,
  server: ServerName,
): Finding {
  try {
    const loaded = loadConfig(schema, { ...of, argv: [] });
    const [warning] = loaded.action === 'run' ? loaded.warnings : [];
    if (warning === undefined) return { name: 'config', detail: `${server} would start with it` };
    return { name: 'config', detail: warning, fix: 'correct its name, or take it away' };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { name: 'config', detail: `${server} would not start: ${error.message}`, fix: 'set that one' };
  }
}

/** The environment, with what its `*_FILE` hold. */
function withFiles(env: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  const all = { ...env };
  for (const [name, path] of Object.entries(env))
    if (name.endsWith('_FILE') && path)
      try {
        all[name.slice(0, -'_FILE'.length)] ??= readFileSync(path, 'utf8');
      } catch {
        // Whoever needs it says so.
      }
  return all;
}

function show({ name, detail, fix }: Finding, conceal: (text: string) => string): void {
  const ok = fix === undefined;
  const record = { event: 'check', name, ok, detail: conceal(detail), fix: fix === undefined ? null : conceal(fix) };
  const line = `${ok ? 'ok  ' : 'FAIL'}  ${name.padEnd(11)}${record.detail}${ok ? '' : ` → ${record.fix}`}`;
  process.stdout.write(`${isJson ? JSON.stringify(record) : line}\n`);
}
