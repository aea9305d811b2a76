/** What one program can become. A command is a line here and a module that runs when it is imported. */

interface Command {
  /** For `--help`. */
  readonly about: string;
  /** Runs it: the module reads `process.argv` from the third word on, and the environment. */
  readonly load: () => Promise<unknown>;
}

export const COMMANDS = {
  api: { about: 'accounts, devices, login', load: () => import('@sealwire/api/main') },
  directory: { about: 'keys and manifests', load: () => import('@sealwire/directory/main') },
  relay: { about: 'messages', load: () => import('@sealwire/relay/main') },
  all: { about: 'the three in one process, on the same store and bus as others', load: () => import('./all.ts') },
  migrate: { about: 'versions of a database: status or up', load: () => import('./migrate.ts') },
  'copy-store': { about: 'a data folder into a database', load: () => import('./copy-store.ts') },
  doctor: { about: 'what is wrong with an installation, and the fix', load: () => import('./doctor/main.ts') },
  backup: { about: 'store and files into a folder, while servers run', load: () => import('./backups/backup.ts') },
  verify: { about: 'whether a backup is whole', load: () => import('./backups/verify.ts') },
  restore: { about: 'a backup into a store that is empty', load: () => import('./backups/restore.ts') },
  drill: { about: 'whether a deployment loses anything', load: () => import('@sealwire/drill/against') },
  admin: { about: 'accounts, invitations, notices and more: sealwire-admin', load: () => import('./admin.ts') },
  invite: { about: 'an invitation code', load: () => import('./invite.ts') },
  'reset-account': { about: 'a code for who lost everything', load: () => import('./reset-account.ts') },
  certify: { about: 'certificates of accounts, by the deployment’s own authority', load: () => import('./certify.ts') },
} as const satisfies Readonly<Record<string, Command>>;

export function findCommand(name: string): keyof typeof COMMANDS | undefined {
  return Object.hasOwn(COMMANDS, name) ? (name as keyof typeof COMMANDS) : undefined;
}

export function usage(): string {
  const rows = Object.entries(COMMANDS).map(([name, { about }]) => `  ${name.padEnd(14)}${about}\n`);
  return `sealwire-server COMMAND [settings]; COMMAND --help lists the settings.\n\n${rows.join('')}`;
}
