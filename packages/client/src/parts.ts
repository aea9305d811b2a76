/** What an open device is made of, put together: composition alone, the rules are in the files of the parts. */
import { isGroupAddress } from '@sealwire/wire/group-address';
import { type AccountAddress, typedAddress } from '@sealwire/wire/ids';
import { ClientAccount } from './accounts/client-account.ts';
import { ClientDevices } from './accounts/client-devices.ts';
import { ClientTrust } from './accounts/client-trust.ts';
import { DeviceAuthority } from './accounts/device-authority.ts';
import { OwnDevices } from './accounts/own-devices.ts';
import { checkOnKeptOut, type OpenOptions } from './client-options.ts';
import { Connection } from './connection/connection.ts';
import { ServerNotices } from './connection/server-notices.ts';
import { ClientBlocks } from './contacts/client-blocks.ts';
import { ClientContacts } from './contacts/client-contacts.ts';
import { ContactSync } from './contacts/contact-sync.ts';
import { ClientEngines } from './engines/client-engines.ts';
import { limeEngine } from './engines/lime/lime-engine.ts';
import type { ReadyDevice } from './entering.ts';
import { ClientError } from './errors.ts';
import { ClientFiles } from './files/client-files.ts';
import { ReceivedFiles } from './files/received-files.ts';
import { assembleGroups, type Groups } from './groups/assemble-groups.ts';
import { History } from './history/history.ts';
import { linkLife } from './link-life.ts';
import { ReceiptSchedule } from './messages/chain/receipt-schedule.ts';
import { ClientInbox } from './messages/client-inbox.ts';
import { ClientOutbox } from './messages/client-outbox.ts';
import { ClientTimers } from './messages/client-timers.ts';
import { ClientSessions } from './messages/healing/client-sessions.ts';
import { Inbox } from './messages/inbox.ts';
import { Outbox } from './messages/outbox.ts';
import { ClientReceipts } from './messages/receipts/client-receipts.ts';
import { Receiver } from './messages/receiver.ts';
import { SeenIds } from './messages/seen.ts';
import { Sender } from './messages/sender.ts';
import { ClientPresence } from './presence/client-presence.ts';
import { ClientTyping } from './presence/client-typing.ts';
import { Typing } from './presence/typing.ts';
import { platformTimers, type Timers } from './runtime.ts';
import { assemble } from './services.ts';
import { KeyUpkeep } from './upkeep/key-upkeep.ts';
import { KeysCheck } from './upkeep/keys-check.ts';
import { ManifestWatch } from './upkeep/manifest-watch.ts';
import { ClientVerification } from './verification/client-verification.ts';
import { Dialogues } from './verification/dialogues.ts';

export type Parts = ReturnType<typeof assembleParts>;

export function assembleParts({ ledger, self }: ReadyDevice, options: OpenOptions) {
  const { engines: factories = [limeEngine], deviceAuthority, receiptMessages = true } = options;
  const onKeptOut = checkOnKeptOut(options.onKeptOut ?? 'refuse');
  const runtime: typeof options.runtime & { readonly timers: Timers } = {
    ...options.runtime,
    timers: options.runtime.timers ?? platformTimers,
    // An application may begin to listen later.
    trace: (event) => options.runtime.trace?.(event),
  };
  const { crypto, random, now, timers } = runtime;
  const me = self.device;
  const own = self.address;
  const services = assemble(ledger, self, runtime, factories);
  const authority = deviceAuthority && new DeviceAuthority({ crypto, now, own, ...deviceAuthority });
  const trace = (name: string, details: Record<string, string | number> = {}) => runtime.trace?.({ name, ...details });
  const addressOf = (to: string) => addressIn(self.domain, to);
  // Parts that come to be later, and that those before them call.
  const wake = () => sender.wake();
  const isOnline = () => connection.state === 'online';
  const transmit = (frame: Uint8Array) => connection.send(frame);
  /** Beside our own account; nobody in a group that it is no member of. */
  const others = (conversation: AccountAddress): readonly AccountAddress[] =>
    isGroupAddress(conversation) ? groupParts.store.othersIn(conversation) : [conversation];

  const history = new History({
    ledger,
    me,
    now,
    timers,
    random,
    floe: runtime.floe ?? crypto,
    addressOf,
    others,
    failed: (code) => trace('history-failed', { code }),
  });
  const inbox = new Inbox(ledger, (transaction, event) => history.recorder.arrived(transaction, event));
  services.alarms.bind(inbox);
  const outbox = new Outbox(ledger, history.recorder, onKeptOut);
  const groupParts: Groups = assembleGroups({
    services,
    runtime,
    inbox,
    outbox,
    addressOf,
    wake,
    met: (transaction, accounts) => contacts.met(transaction, accounts),
  });
  const common = {
    ...services,
    ...runtime,
    authority,
    inbox,
    outbox,
    me,
    own,
    onKeptOut,
    addressOf,
    trace,
    broken: (reason: ClientError) => connection.fail(reason),
    drop: (reason: string, retryAfterMs?: number) => connection.drop(reason, retryAfterMs),
  };

  const receiptSchedule = new ReceiptSchedule(timers, random, wake);
  const owing = (conversation: AccountAddress) => {
    // In a group what is written back carries them: a message of each member to each would be many.
    if (receiptMessages && isOnline() && !isGroupAddress(conversation)) receiptSchedule.heard(conversation);
  };
  const receipts = new ClientReceipts({
    ...common,
    owing,
    shown: (transaction, message) => history.shown(transaction, message),
  });
  const dialogues = new Dialogues({ ...common, send: (message) => sender.sendDirect(message) });
  const aside = {
    ...common,
    transmit: () => (isOnline() ? transmit : undefined),
    isBlocked: (account: AccountAddress) => blocks.isBlocked(account),
  };
  const presence = new ClientPresence(aside);
  const typing = new Typing({ ...aside, others });
  const receiver = new Receiver({
    ...common,
    groups: groupParts.incoming,
    verification: (message) => dialogues.received(message),
    typing: (transaction, chain, content) => typing.take(transaction, chain, content),
    owing,
    heal: (to) => sender.heal(to),
    seen: new SeenIds(ledger),
    acknowledge: (seq) => connection.acknowledge(seq),
  });
  const sender: Sender = new Sender({
    ...common,
    groups: groupParts.audiences,
    receipts: receiptSchedule,
    transmit,
  });

  const upkeep = new KeyUpkeep(common);
  const keysCheck = new KeysCheck(common);
  services.onSetback(() => keysCheck.soon());
  const manifestWatch = new ManifestWatch({ ...common, devices: new OwnDevices(common), address: own });
  const contactSync = new ContactSync(common);
  const contacts = new ClientContacts({
    ...common,
    sync: contactSync,
    companions: () => groupParts.store.companions(),
  });
  const blocks = new ClientBlocks({ ...common, blocked: (account) => presence.hideFrom(account) });
  const serverNotices = new ServerNotices();
  const linked = { services, inbox, outbox, sender, receiver, receiptSchedule, dialogues, presence, blocks, typing };
  const connection: Connection = new Connection({
    url: new URL(self.server).origin.replace(/^http/, 'ws') + self.paths.relay,
    tokens: services.tokens,
    connectSocket: runtime.connectSocket,
    timers,
    random,
    trace,
    ...linkLife({ ...linked, serverNotices, manifestWatch, contactSync, upkeep, keysCheck, receiptMessages, trace }),
  });

  const timersOf = new ClientTimers({ ledger, groups: groupParts.client, addressOf });
  const topics = {
    engines: new ClientEngines(services.engines, ledger, addressOf),
    files: new ClientFiles({ services, runtime, timers, addressOf }),
    serverNotices,
    receivedFiles: new ReceivedFiles(ledger, now),
    contacts,
    blocks,
    history,
    receipts,
    presence,
    groups: groupParts.client,
    verification: new ClientVerification({ ...common, dialogues }),
    account: new ClientAccount({ services, runtime, authority }),
    devices: new ClientDevices({ services, runtime, checkKeys: () => keysCheck.run() }),
    trust: new ClientTrust({ services, authority, addressOf }),
    sessions: new ClientSessions({ ...common, heal: (to) => sender.heal(to) }),
    inbox: new ClientInbox(inbox),
    outbox: new ClientOutbox({
      ...common,
      sender,
      audiences: groupParts.audiences,
      contacts,
      typing,
      timers: timersOf,
    }),
    timers: timersOf,
    typing: new ClientTyping(typing, addressOf),
  };

  /** Waits for what is under way, for what heals a session two seconds at most. To be called once. */
  async function close(): Promise<void> {
    dialogues.close();
    await sender.finishHealing();
    services.stop();
    inbox.end('closed');
    await connection.close();
    await Promise.all([sender.idle(), receiver.idle(), manifestWatch.done()]);
    await Promise.all([upkeep.done(), keysCheck.done(), contactSync.done()]);
    await history.close();
    const text = 'this client is closed: the message stays in the outbox and leaves when it is opened again';
    outbox.abandon(new ClientError('closed', text, { retryable: true }));
    await ledger.close();
  }

  return { topics, connection, read: inbox.read.bind(inbox), close };
}

/** Throws `bad-address`. */
function addressIn(domain: string, to: string): AccountAddress {
  try {
    return typedAddress(to, domain);
  } catch (error) {
    throw new ClientError('bad-address', (error as Error).message, { cause: error });
  }
}
