/** Answers of the administrator's door as lines for a person: one thing a line, columns by two spaces. */

interface Waiting {
  readonly messages: number;
  readonly bytes: number;
}
type Quota = Readonly<Record<string, number>> | undefined;
interface AccountLine {
  readonly address: string;
  readonly createdAt: number;
  readonly devices: number;
  readonly disabledAt?: number;
  readonly quota?: Quota;
  readonly waiting?: Waiting;
  readonly files?: { readonly count: number; readonly bytes: number };
}

export function time(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

export function quota(own: Quota): string {
  const parts = Object.entries(own ?? {}).map(([name, value]) => `${name} ${value}`);
  return parts.length === 0 ? 'the quota of all' : parts.join(', ');
}

export function accounts({ accounts, next }: { accounts: readonly AccountLine[]; next?: string }): string {
  const rows = accounts.map((one) =>
    [
      one.address,
      time(one.createdAt),
      `${one.devices} devices`,
      ...(one.disabledAt === undefined ? [] : [`disabled ${time(one.disabledAt)}`]),
      ...(one.quota ? [quota(one.quota)] : []),
      ...(one.waiting ? [waits(one.waiting)] : []),
      ...(one.files ? [`${one.files.count} files, ${one.files.bytes} bytes`] : []),
    ].join('  '),
  );
  return page(rows, next, '--after');
}

export function account(
  one: Omit<AccountLine, 'devices'> & {
    readonly accountKey: string;
    readonly manifest: number;
    readonly appPasswords: number;
    readonly devices: readonly { readonly id: string; readonly addedAt: number; readonly waiting: Waiting }[];
  },
): string {
  return [
    one.address,
    `  made ${time(one.createdAt)}, list of devices ${one.manifest}, ${one.appPasswords} app passwords`,
    `  account key ${one.accountKey}`,
    ...(one.disabledAt === undefined ? [] : [`  disabled since ${time(one.disabledAt)}`]),
    `  ${quota(one.quota)}`,
    ...(one.files ? [`  ${one.files.count} files, ${one.files.bytes} bytes`] : []),
    ...one.devices.map(({ id, addedAt, waiting }) => `  ${id}  since ${time(addedAt)}  ${waits(waiting)}`),
  ].join('\n');
}

export function invitations(answer: {
  invitations: readonly { number: string; uses: number; left: number; expiresAt: number; state: string; by: string }[];
  next?: string;
}): string {
  const rows = answer.invitations.map(({ number, uses, left, expiresAt, state, by }) =>
    [number, state, `${left} of ${uses} left`, `until ${time(expiresAt)}`, `by ${by}`].join('  '),
  );
  return page(rows, answer.next, '--after');
}

export function sessions(answer: {
  count: number;
  nodes: Readonly<Record<string, number>>;
  sessions: readonly { device: string; node: string; since: number }[];
}): string {
  return [
    `${answer.count} connected`,
    ...Object.entries(answer.nodes).map(([node, count]) => `  ${node}  ${count}`),
    ...answer.sessions.map(({ device, node, since }) => `${device}  ${node}  since ${time(since)}`),
  ].join('\n');
}

export function notices({ notices }: { notices: readonly { id: string; until: number; text: string }[] }): string {
  return notices.map(({ id, until, text }) => `${id}  until ${time(until)}  ${text.replaceAll('\n', ' ')}`).join('\n');
}

export function domains({ domains }: { domains: readonly { domain: string; since: number }[] }): string {
  return domains.map(({ domain, since }) => `${domain}  since ${time(since)}`).join('\n');
}

export function trail(answer: {
  entries: readonly { at: number; who: string; what: string; about?: string; outcome: string; code?: string }[];
  next?: string;
}): string {
  const rows = answer.entries.map(({ at, who, what, about, outcome, code }) =>
    [time(at), who, what, ...(about === undefined ? [] : [about]), code ? `${outcome}: ${code}` : outcome].join('  '),
  );
  return page(rows, answer.next, '--before');
}

export function tokens(answer: {
  tokens: readonly { id: string; name: string; role: string; expiresAt: number }[];
}): string {
  return answer.tokens
    .map(({ id, name, role, expiresAt }) => `${id}  ${name}  ${role}  until ${time(expiresAt)}`)
    .join('\n');
}

export function days(answer: {
  days: readonly {
    day: string;
    activeDevices: number | null;
    messages: number;
    deliveries: number;
    delayMs: { p50: number | null; p99: number | null };
    errors: number;
  }[];
}): string {
  const head = 'day  active devices  messages  deliveries  delay p50/p99 ms  errors';
  const rows = answer.days.map(({ day, activeDevices, messages, deliveries, delayMs, errors }) =>
    [day, activeDevices ?? 'few', messages, deliveries, `${delayMs.p50 ?? '-'}/${delayMs.p99 ?? '-'}`, errors].join(
      '  ',
    ),
  );
  return [head, ...rows].join('\n');
}

function waits({ messages, bytes }: Waiting): string {
  return `${messages} waiting, ${bytes} bytes`;
}

function page(rows: readonly string[], next: string | undefined, flag: string): string {
  return [...rows, ...(next === undefined ? [] : [`more: ${flag} ${next}`])].join('\n');
}
