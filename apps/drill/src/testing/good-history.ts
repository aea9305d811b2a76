/** Histories of servers that keep every promise, made up from a seed: links break, frames are repeated, devices come and go. */
import type { Happening, HistoryEvent } from '../history/events.ts';

const ACCOUNTS = ['ann', 'bob', 'cy', 'dee'].map((name) => `sip:${name}@example.org`);
const STEPS = 60;
const STEP_MS = 1_000;
const SETTLING_MS = 10_000;
const LEAVING = 45;

export function goodHistory(random: () => number): HistoryEvent[] {
  const history: HistoryEvent[] = [];
  let at = 1_000_000;
  const record = (happening: Happening) => void history.push({ at, ...happening } as HistoryEvent);
  const pick = <Some>(among: readonly Some[]): Some => among[Math.floor(random() * among.length)]!;
  const chance = (part: number) => random() < part;

  const devices = ACCOUNTS.flatMap((account, i) =>
    Array.from({ length: 1 + (i % 3) }, (_, n) => ({ id: `${account};gr=${n}`, account, link: 1, seq: 0 })),
  );
  const numbers = new Map<string, number>();
  const gone = new Set<string>();
  record({ event: 'begin', settings: {} });
  for (const account of ACCOUNTS) list(account, 1);
  for (const { id, account } of devices) record({ event: 'device', device: id, account });
  // Everybody has heard of them.
  at += SETTLING_MS;

  function list(account: string, version: number): void {
    record({ event: 'manifest-accepted', account, version, digest: `${account} ${version}` });
    at += 2;
    record({ event: 'manifest-read', account, version, digest: `${account} ${version}`, asked: at - 1 });
  }

  function write(number: number): void {
    const from = pick(devices.filter(({ id }) => !gone.has(id)));
    const to = pick(ACCOUNTS.filter((account) => account !== from.account));
    const id = `m${number}`;
    const count = (numbers.get(`${from.id} ${to}`) ?? 0) + 1;
    numbers.set(`${from.id} ${to}`, count);
    record({ event: 'send', id, from: from.id, to, number: count });
    const recipients = devices.filter(
      (one) => one !== from && !gone.has(one.id) && (one.account === to || one.account === from.account),
    );
    const frame = { event: 'frame-sent', id, device: from.id, recipients: recipients.map((one) => one.id) } as const;
    record(frame);
    if (chance(0.2)) record(frame);
    record({ event: 'frame-accepted', id, device: from.id });
    record({ event: 'accepted', id, leftOut: [] });
    for (const one of recipients) {
      const seq = ++one.seq;
      const delivered = { event: 'delivered', device: one.id, seq, from: from.id, id } as const;
      record({ ...delivered, link: one.link });
      if (chance(0.2)) record({ ...delivered, link: ++one.link });
      record({ event: 'received', id, device: one.id, from: from.id, to, number: count });
      if (chance(0.7)) record({ event: 'acknowledged', device: one.id, upTo: seq });
    }
  }

  for (let step = 0; step < STEPS; step++) {
    at += STEP_MS;
    write(step);
    record({ event: 'key', device: pick(devices).id, suite: 'c25519', key: `k${step}` });
    if (chance(0.1)) record({ event: 'told', device: pick(devices).id, what: 'send-waits', detail: 'unavailable' });
    if (step === LEAVING) {
      const { id, account } = devices.at(-1)!;
      record({ event: 'device-leaves', device: id });
      gone.add(id);
      list(account, 2);
    }
  }
  record({ event: 'storm', sockets: 10, back: 10, ms: 1 });
  for (const account of ACCOUNTS)
    for (let version = 1; version <= (account === devices.at(-1)!.account ? 2 : 1); version++)
      record({ event: 'manifest-held', account, version, digest: `${account} ${version}` });
  record({ event: 'end' });
  return history;
}
