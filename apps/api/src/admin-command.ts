/**
 * The frame of what an administrator orders from a shell: asks the server that runs, over its socket; when none does, opens the store itself.
 */
import { callAdminSocket } from '@sealwire/service/admin-socket';
import { ConfigError, type ConfigSources, loadConfig } from '@sealwire/service/config';
import type { AdminCommands } from '@sealwire/service/http-door';
import { Problem } from '@sealwire/service/problem';
import type { Store } from '@sealwire/store/port';
import type { z } from 'zod';

/** Whose settings it reads, and where its store is. */
export interface AdministeredServer<S extends z.ZodObject> {
  readonly schema: S;
  /** Where it listens for its administrator; undefined: nowhere. */
  adminSocket(settings: z.output<S>): string | undefined;
  openStore(settings: z.output<S>): Promise<Store>;
}

export interface Output {
  /** Data: the code, alone on a line. */
  out(text: string): void;
  /** Chatter. */
  err(text: string): void;
}

export interface AdminOrder<Answer> {
  readonly path: string;
  readonly body: object;
  /** What carries it out where no server runs. */
  commands(store: Store): AdminCommands;
  tell(answer: Answer): void;
}

export interface AdminCommand<S extends z.ZodObject, Answer> {
  readonly name: string;
  /** The names of the words that stand beside the flags. */
  readonly demanded?: readonly string[];
  order(settings: z.output<S>, words: readonly string[]): AdminOrder<Answer>;
}

/** Resolves with the exit code. */
export async function adminCommand<S extends z.ZodObject, Answer>(
  { name, demanded = [], order }: AdminCommand<S, Answer>,
  server: AdministeredServer<S>,
  sources: ConfigSources,
  { out, err }: Output,
): Promise<number> {
  try {
    const loaded = loadConfig(server.schema, sources, { demanded });
    if (loaded.action === 'show') {
      out(loaded.text);
      return 0;
    }
    const { path, body, commands, tell } = order(loaded.settings, loaded.words);
    const socket = server.adminSocket(loaded.settings);
    const answer = socket && (await callAdminSocket(socket, path, body));
    tell((answer || (await inStore(await server.openStore(loaded.settings), path, body, commands))) as Answer);
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    err(`${name}: ${error.message}\n`);
    return error.exitCode;
  }
}

async function inStore(
  store: Store,
  path: string,
  body: object,
  commands: (store: Store) => AdminCommands,
): Promise<object | undefined> {
  try {
    return await commands(store)[path]?.(body, { via: 'socket' });
  } catch (error) {
    if (error instanceof Problem) throw new ConfigError(error.details.detail ?? error.message, 'check the name');
    throw error;
  } finally {
    await store.close();
  }
}
