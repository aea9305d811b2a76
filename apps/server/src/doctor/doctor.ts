/** The frame of `sealwire-server doctor [SERVER]` (docs/operations/doctor.md): whose settings, and a line for each finding. */
import { join } from 'node:path';
import { blobsTerms } from '@sealwire/api/settings';
import { openBlobs } from '@sealwire/blobs/open';
import { openBus } from '@sealwire/bus/open';
import { systemRandom } from '@sealwire/crypto/random';
import { aboutOf, ConfigError, type ConfigSources, loadConfig, type Settings } from '@sealwire/service/config';
import { lookAtDatabase } from '@sealwire/store/looking';
import { openStore } from '@sealwire/store/open';
import type { z } from 'zod';
import type { Output } from '../output.ts';
import { examine, type Patient } from './examine.ts';
import type { Finding } from './finding.ts';
import type { Means } from './means.ts';
import { concealing } from './secrets.ts';
import { type DoctorSettings, doctorSettings, SERVER_NAMES, type ServerName } from './settings.ts';

/** Loaded when asked for: a server’s settings bring its modules along. */
const SCHEMAS: Readonly<Record<ServerName, () => Promise<Settings>>> = {
  all: async () => (await import('../settings.ts')).allSettings,
  api: async () => (await import('@sealwire/api/settings')).apiSettings,
  directory: async () => (await import('@sealwire/directory/settings')).directorySettings,
  relay: async () => (await import('@sealwire/relay/config')).relayConfig,
  solo: async () => (await import('@sealwire/solo/start')).soloSettings,
};

/** Resolves with the exit code: 0: all is well; 1: something is not; 2: a mistake. */
export async function doctor({ argv, ...sources }: ConfigSources, means: Means, output: Output): Promise<number> {
  const isJson = argv.includes('--json');
  const words = argv.filter((word) => word !== '--json');
  const isNamed = words[0] !== undefined && !words[0].startsWith('-');
  try {
    const server = serverOf(isNamed ? words[0]! : 'all');
    const schema = await SCHEMAS[server]();
    const loaded = loadConfig(doctorSettings, { ...sources, argv: isNamed ? words.slice(1) : words });
    if (loaded.action === 'show') {
      output.out(loaded.text);
      return 0;
    }
    const conceal = concealing(withFiles(sources), secretsOf(schema));
    let failed = 0;
    const tell = (finding: Finding) => {
      if (finding.fix !== undefined) failed++;
      output.out(lineOf(finding, conceal, isJson));
    };
    tell(configurationOf(schema, sources, server));
    for await (const finding of examine(patientOf(placed(loaded.settings, server), means))) tell(finding);
    return failed > 0 ? 1 : 0;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    output.err(`doctor: ${error.message}\n`);
    return error.exitCode;
  }
}

function secretsOf(schema: Settings): string[] {
  return Object.entries({ ...schema.shape, ...doctorSettings.shape }).flatMap(([name, field]) =>
    aboutOf(field as z.ZodType).secret ? [name] : [],
  );
}

/** With store and files where a data folder has them, if there is one. */
function placed(settings: DoctorSettings, server: ServerName): DoctorSettings {
  const data = settings.DATA_DIR ?? (server === 'solo' ? './data' : undefined);
  if (data === undefined) return settings;
  return { ...settings, STORE_URL: `lmdb:${join(data, 'store')}`, BLOBS_URL: `file:${join(data, 'blobs')}` };
}

function patientOf(settings: DoctorSettings, means: Means): Patient {
  const open = () => openBlobs(settings.BLOBS_URL, blobsTerms(settings));
  const probeId = `doctor-${Buffer.from(systemRandom(9)).toString('hex')}`;
  return { settings, means, probeId, parts: { openStore, lookAtDatabase, openBus, openBlobs: open } };
}

function serverOf(word: string): ServerName {
  const name = SERVER_NAMES.find((each) => each === word);
  if (name) return name;
  throw new ConfigError('arguments', `there is no server ${word}`, `write one of ${SERVER_NAMES.join(', ')}, or none`);
}

/** As that server would read it, but for flags. */
function configurationOf(schema: Settings, of: Omit<ConfigSources, 'argv'>, server: ServerName): Finding {
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
function withFiles({ env, readFile }: Omit<ConfigSources, 'argv'>): Record<string, string | undefined> {
  const all = { ...env };
  for (const [name, path] of Object.entries(env))
    if (name.endsWith('_FILE') && path)
      try {
        all[name.slice(0, -'_FILE'.length)] ??= readFile(path);
      } catch {
        // Whoever needs it says so.
      }
  return all;
}

function lineOf({ name, detail, fix }: Finding, conceal: (text: string) => string, isJson: boolean): string {
  const ok = fix === undefined;
  const record = { event: 'check', name, ok, detail: conceal(detail), fix: fix === undefined ? null : conceal(fix) };
  const line = `${ok ? 'ok  ' : 'FAIL'}  ${name.padEnd(11)}${record.detail}${ok ? '' : ` → ${record.fix}`}`;
  return `${isJson ? JSON.stringify(record) : line}\n`;
}
