/** The words of `sealwire-admin`: what each command orders, and how its answer looks to a person. With `--json` the answer is shown as it is. */
import type { ParseArgsConfig } from 'node:util';
import { ConfigError } from '@sealwire/service/config';
import * as lines from './lines.ts';

type Options = NonNullable<ParseArgsConfig['options']>;
export type Values = Readonly<Record<string, string | boolean | undefined>>;

export interface AdminWord {
  /** After its name: `NAME`. */
  readonly words?: readonly string[];
  readonly options?: Options;
  readonly about: string;
  /** `/v1/admin/…` */
  readonly path: string;
  body?(words: readonly string[], values: Values): object;
  /** Lines for a person; undefined: there is nothing to say. */
  // biome-ignore lint/suspicious/noExplicitAny: each command knows the shape of its own answer
  show(answer: any): string | undefined;
}

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const byName = { words: ['NAME'], body: ([name]: readonly string[]) => ({ name }) };
const paged = (values: Values) => ({ limit: numberIn(values, 'limit', 50), ...textIn(values, 'after') });

export const COMMANDS: Readonly<Record<string, AdminWord>> = {
  'accounts list': {
    about: 'who has an account; --filter TEXT, --disabled, --usage, --limit N, --after ADDRESS',
    path: '/v1/admin/accounts/list',
    options: { filter: text, disabled: flag, usage: flag, limit: text, after: text },
    body: (_, values) => ({
      ...paged(values),
      ...textIn(values, 'filter'),
      ...(values.disabled && { disabled: true }),
      ...(values.usage && { usage: true }),
    }),
    show: lines.accounts,
  },
  'accounts show': {
    ...byName,
    about: 'one account, its devices, what waits for each',
    path: '/v1/admin/accounts/show',
    show: lines.account,
  },
  'accounts disable': {
    ...byName,
    about: 'shuts it out, everywhere and at once; its mail is kept',
    path: '/v1/admin/accounts/disable',
    show: ({ address }) => `${address} is disabled: its devices are out, what is written to it is kept`,
  },
  'accounts enable': {
    ...byName,
    about: 'lets it in again',
    path: '/v1/admin/accounts/enable',
    show: ({ address }) => `${address} may log in`,
  },
  'accounts delete': {
    ...byName,
    options: { yes: flag },
    about: 'for good, with all that it has; the name is given to nobody again; --yes',
    path: '/v1/admin/accounts/delete',
    body: ([name], { yes }) => {
      if (!yes) throw new ConfigError('--yes', 'is not given', `what ${name} has is gone for good then`);
      return { name };
    },
    show: ({ address }) => `${address} is gone`,
  },
  'accounts reset': {
    words: ['NAME'],
    options: { days: text },
    about: 'a code for who lost every device; --days N (3)',
    path: '/v1/admin/resets',
    body: ([name], values) => ({ name, days: numberIn(values, 'days', 3) }),
    show: ({ code }) => code,
  },
  'accounts quota': {
    words: ['NAME'],
    options: { messages: text, bytes: text, files: text, 'file-bytes': text },
    about: 'of this account: --messages N, --bytes N, --files N, --file-bytes N; `default` takes one back',
    path: '/v1/admin/accounts/quota',
    body: ([name], values) => ({
      name,
      ...quotaIn(values, 'messages', 'messages'),
      ...quotaIn(values, 'bytes', 'bytes'),
      ...quotaIn(values, 'files', 'files'),
      ...quotaIn(values, 'file-bytes', 'fileBytes'),
    }),
    show: ({ address, quota }) => `${address}: ${lines.quota(quota)}`,
  },
  'invitations make': {
    options: { uses: text, days: text },
    about: 'a code; --uses N (1), --days N (7)',
    path: '/v1/admin/invitations',
    body: (_, values) => ({ uses: numberIn(values, 'uses', 1), days: numberIn(values, 'days', 7) }),
    show: ({ code }) => code,
  },
  'invitations list': {
    options: { limit: text, after: text },
    about: 'by number, with what is left of each',
    path: '/v1/admin/invitations/list',
    body: (_, values) => paged(values),
    show: lines.invitations,
  },
  'invitations revoke': {
    words: ['NUMBER'],
    about: 'good for nobody more',
    path: '/v1/admin/invitations/revoke',
    body: ([number]) => ({ number }),
    show: ({ number }) => `${number} is revoked`,
  },
  'sessions list': {
    options: { filter: text, limit: text },
    about: 'who is connected, and to which node; --filter TEXT',
    path: '/v1/admin/sessions/list',
    body: (_, values) => ({ limit: numberIn(values, 'limit', 50), ...textIn(values, 'filter') }),
    show: lines.sessions,
  },
  'notices send': {
    words: ['TEXT'],
    options: { hours: text },
    about: 'a word to all who are connected, as the server’s; --hours N (24)',
    path: '/v1/admin/notices/send',
    body: ([said], values) => ({ text: said, hours: numberIn(values, 'hours', 24) }),
    show: ({ id }) => `notice ${id} is told`,
  },
  'notices list': { about: 'what is told', path: '/v1/admin/notices/list', show: lines.notices },
  'notices remove': {
    words: ['ID'],
    about: 'is told no more',
    path: '/v1/admin/notices/remove',
    body: ([id]) => ({ id }),
    show: ({ id }) => `notice ${id} is told no more`,
  },
  'domains list': { about: 'which are blocked', path: '/v1/admin/domains/list', show: lines.domains },
  'domains block': {
    words: ['DOMAIN'],
    about: 'asked nothing and answered nothing; no codes by mail',
    path: '/v1/admin/domains/block',
    body: ([domain]) => ({ domain }),
    show: ({ domain }) => `${domain} is blocked`,
  },
  'domains unblock': {
    words: ['DOMAIN'],
    about: 'as others again',
    path: '/v1/admin/domains/unblock',
    body: ([domain]) => ({ domain }),
    show: ({ domain }) => `${domain} is not blocked`,
  },
  'maintenance on': {
    options: { minutes: text, text },
    about: 'no new logins and accounts; --minutes N (30), --text TEXT',
    path: '/v1/admin/maintenance/on',
    body: (_, values) => ({ minutes: numberIn(values, 'minutes', 30), ...textIn(values, 'text') }),
    show: () => 'maintenance is on: nobody new comes in until `maintenance off`',
  },
  'maintenance off': { about: 'all may come in', path: '/v1/admin/maintenance/off', show: () => 'maintenance is off' },
  'maintenance show': {
    about: 'whether it is on',
    path: '/v1/admin/maintenance/show',
    show: ({ isOn, since }) => (isOn ? `on since ${lines.time(since)}` : 'off'),
  },
  stats: {
    options: { days: text },
    about: 'figures by day; --days N (30)',
    path: '/v1/admin/stats',
    body: (_, values) => ({ days: numberIn(values, 'days', 30) }),
    show: lines.days,
  },
  audit: {
    options: { limit: text, before: text, about: text, who: text },
    about: 'who ordered what, newest first; --about TEXT, --who TEXT, --limit N, --before NEXT',
    path: '/v1/admin/audit',
    body: (_, values) => ({
      limit: numberIn(values, 'limit', 50),
      ...textIn(values, 'before'),
      ...textIn(values, 'about'),
      ...textIn(values, 'who'),
    }),
    show: lines.trail,
  },
  'tokens make': {
    words: ['NAME'],
    options: { role: text, days: text },
    about: 'for ADMIN_LISTEN: --role viewer|operator|owner, --days N (90); on the machine itself',
    path: '/v1/admin/tokens/make',
    body: ([name], values) => ({ name, role: values.role ?? 'viewer', days: numberIn(values, 'days', 90) }),
    show: ({ token }) => token,
  },
  'tokens list': { about: 'with role and end', path: '/v1/admin/tokens/list', show: lines.tokens },
  'tokens revoke': {
    words: ['ID'],
    about: 'from the next request on',
    path: '/v1/admin/tokens/revoke',
    body: ([id]) => ({ id }),
    show: ({ id }) => `token ${id} is revoked`,
  },
};

export function usage(): string {
  const rows = Object.entries(COMMANDS).map(
    ([name, { words = [], about }]) => `  ${[name, ...words].join(' ').padEnd(28)}${about}\n`,
  );
  return [
    'sealwire-admin COMMAND [--json] [settings]\n\n',
    ...rows,
    '\nIt asks the server that runs here (DATA_DIR, STORE_URL or ADMIN_SOCKET say which), opens the store where none runs, or asks\n',
    'ADMIN_URL by the token in ADMIN_TOKEN_FILE. Exit codes: 0 done, 1 it did not work, 2 a mistake, 3 not reached, 4 not allowed.\n',
  ].join('');
}

function numberIn(values: Values, name: string, otherwise: number): number {
  const given = values[name];
  if (given === undefined) return otherwise;
  if (typeof given === 'string' && /^\d{1,15}$/.test(given)) return Number(given);
  throw new ConfigError(`--${name}`, `"${given}": not a whole number`, `for example --${name} ${otherwise}`);
}

function textIn(values: Values, name: string): object {
  return values[name] === undefined ? {} : { [name]: values[name] };
}

function quotaIn(values: Values, name: string, field: string): object {
  if (values[name] === undefined) return {};
  return { [field]: values[name] === 'default' ? null : numberIn(values, name, 1_000) };
}
