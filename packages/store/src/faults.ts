/**
 * A store whose writes fail as a plan says, for the tests of those who use a store: before anything happened, or after it was persisted
 * and only the answer got lost. Callers must live with both, because they cannot tell them apart.
 */
import { type Store, StoreError } from './port.ts';

/** Decides on the `nth` (1, 2, …) durable step since it was set, in its own time. */
export type StepPlan = (nth: number) => Fate | Promise<Fate>;

/**
 * The durable steps of an adapter's calls: a call over several aggregates takes several, and may fail at each
 * of them. The contract plans that for every adapter.
 */
export interface Steps {
  plan(plan: StepPlan): void;
}

/** `store`, every call of which is one durable step: what an adapter with transactions is. */
export function inOneStep(store: Store): { readonly store: Store; readonly steps: Steps } {
  let nth = 0;
  let current: StepPlan = () => 'done';
  return {
    store: withFaults(store, () => current(++nth)),
    steps: {
      plan(plan) {
        nth = 0;
        current = plan;
      },
    },
  };
}

const WRITES = {
  accounts: ['create', 'reset', 'delete', 'addInvitation'],
  manifests: ['publish'],
  devices: ['remove'],
  prekeys: ['register', 'replaceSignedPrekey', 'addOneTime', 'claim', 'delete'],
  waiting: ['register', 'remove'],
  mailboxes: ['append', 'acknowledge', 'claimSession', 'expire'],
  appPasswords: ['add', 'remove', 'markUsed'],
  attachments: ['add', 'complete', 'remove'],
  accountRecords: ['replace'],
  nesUsers: ['register', 'activate', 'remove'],
  operatorRecords: ['replace', 'remove'],
  auditTrail: ['append'],
  once: ['take'],
  expiryTime: ['write'],
} as const satisfies { readonly [Part in keyof Store]?: readonly (keyof Store[Part])[] };

type Writes = typeof WRITES;

/** `mailboxes.append` and the like. */
export type WriteCall = { [Part in keyof Writes]: `${Part}.${Writes[Part][number]}` }[keyof Writes] | 'probe';

/** `failed-but-persisted`: the write is done, the caller gets an error. Both failures are `unavailable`, as from a lost link. */
export type Fate = 'done' | 'failed' | 'failed-but-persisted';

/** Decides on the `nth` (1, 2, …) call of this name. */
export type FaultPlan = (call: WriteCall, nth: number) => Fate | Promise<Fate>;

/** `store` with the writes of `plan`; reads and `close` are its own. */
export function withFaults(store: Store, plan: FaultPlan): Store {
  const calls = new Map<WriteCall, number>();

  async function decide<Result>(call: WriteCall, write: () => Promise<Result>): Promise<Result> {
    const nth = (calls.get(call) ?? 0) + 1;
    calls.set(call, nth);
    const planned = plan(call, nth);
    // At once if it can be: a call copies what it is given before it returns.
    const fate = typeof planned === 'string' ? planned : await planned;
    if (fate === 'failed') throw new StoreError('unavailable', `${call} was made to fail`);
    const result = await write();
    if (fate === 'failed-but-persisted') throw new StoreError('unavailable', `${call} was made to lose its answer`);
    return result;
  }

  function faulty<Part extends keyof Writes>(name: Part): Store[Part] {
    const part = store[name];
    const copy: Record<string, unknown> = { ...part };
    for (const method of WRITES[name]) {
      const write = copy[method] as (...args: unknown[]) => Promise<unknown>;
      copy[method] = (...args: unknown[]) => decide(`${name}.${method}` as WriteCall, () => write.call(part, ...args));
    }
    return copy as unknown as Store[Part];
  }

  return {
    accounts: faulty('accounts'),
    manifests: faulty('manifests'),
    devices: faulty('devices'),
    prekeys: faulty('prekeys'),
    waiting: faulty('waiting'),
    mailboxes: faulty('mailboxes'),
    appPasswords: faulty('appPasswords'),
    attachments: faulty('attachments'),
    accountRecords: faulty('accountRecords'),
    nesUsers: faulty('nesUsers'),
    operatorRecords: faulty('operatorRecords'),
    auditTrail: faulty('auditTrail'),
    once: faulty('once'),
    expiryTime: faulty('expiryTime'),
    probe: () => decide('probe', () => store.probe()),
    close: () => store.close(),
  };
}
