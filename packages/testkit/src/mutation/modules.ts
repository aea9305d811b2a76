/**
 * What `npm run mutation` mutates, by name: files or folders, and the tests that have to notice, nearest first. Tests that start processes
 * of their own see no mutants and are left out.
 */
export interface Module {
  readonly files: readonly string[];
  /** Test files, or folders of them; one that is named twice runs in its first place. */
  readonly tests: readonly string[];
}

const RELAY = 'apps/relay/src';
const CLIENT = 'packages/client/src';
const LIME = 'packages/lime/src';
const STORE = 'packages/store/src';
const DIRECTORY = 'apps/directory/src';
const TESTKIT = 'packages/testkit/src';

const RELAY_TESTS = [`${RELAY}/guards.test.ts`, `${RELAY}/delivery.test.ts`, `${RELAY}/sending.test.ts`, RELAY];
const TESTKIT_TESTS = ['guards', 'trust-guards', 'delivery', 'trust', 'chain', 'weakest-store', 'recovery'];
const CLIENT_TESTS = [CLIENT, ...TESTKIT_TESTS.map((name) => `${TESTKIT}/${name}.test.ts`)];

export const MODULES: Readonly<Record<string, Module>> = {
  'relay-delivery': { files: [`${RELAY}/delivery`], tests: [`${RELAY}/delivery`, ...RELAY_TESTS] },
  'relay-sending': { files: [`${RELAY}/sending`], tests: [`${RELAY}/sending`, ...RELAY_TESTS] },
  'relay-sockets': { files: [`${RELAY}/sockets`], tests: [`${RELAY}/sockets`, ...RELAY_TESTS] },
  'relay-nodes': { files: [`${RELAY}/nodes`], tests: [`${RELAY}/nodes`, ...RELAY_TESTS] },
  'relay-mailboxes': { files: [`${RELAY}/mailboxes`], tests: [`${RELAY}/mailboxes`, ...RELAY_TESTS] },
  'store-port': {
    files: [`${STORE}/memory`, `${STORE}/sameness.ts`, `${STORE}/gap.ts`, `${STORE}/copies.ts`],
    tests: [`${STORE}/memory.test.ts`],
  },
  'drill-judging': { files: ['apps/drill/src/judging'], tests: ['apps/drill/src/judging'] },
  'client-receiver': {
    files: [`${CLIENT}/messages/receiver.ts`, `${CLIENT}/messages/incoming-messages.ts`],
    tests: [`${CLIENT}/messages`, ...CLIENT_TESTS],
  },
  'client-sender': {
    files: [`${CLIENT}/messages/sender.ts`, `${CLIENT}/messages/settlement.ts`],
    tests: [`${CLIENT}/messages`, ...CLIENT_TESTS],
  },
  'client-outbox': { files: [`${CLIENT}/messages/outbox.ts`], tests: [`${CLIENT}/messages`, ...CLIENT_TESTS] },
  'client-ledger': { files: [`${CLIENT}/storage/ledger.ts`], tests: [`${CLIENT}/storage`, ...CLIENT_TESTS] },
  'client-peer-book': {
    files: [`${CLIENT}/accounts/peer-book.ts`, `${CLIENT}/accounts/peer-record.ts`],
    tests: [`${CLIENT}/accounts`, ...CLIENT_TESTS],
  },
  'lime-ratchet': { files: [`${LIME}/ratchet`], tests: [`${LIME}/ratchet`, LIME] },
  'lime-session': {
    files: [`${LIME}/messages/session-turns.ts`, `${LIME}/records/session-record.ts`],
    tests: [`${LIME}/messages`, `${LIME}/records`, LIME],
  },
  'lime-reception': { files: [`${LIME}/messages/reception.ts`], tests: [`${LIME}/messages`, LIME] },
  'lime-fan-out': {
    files: [`${LIME}/messages/fan-out.ts`, `${LIME}/messages/policy.ts`],
    tests: [`${LIME}/messages`, LIME],
  },
  'directory-lime': { files: [`${DIRECTORY}/lime`], tests: [`${DIRECTORY}/lime`] },
};
