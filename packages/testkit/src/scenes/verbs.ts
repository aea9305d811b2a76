/** What people of a scenario can do. A verb that answers with a text is followed by `=>` and the answer in the script. */

import type { ContactPolicy } from '@sealwire/client/contacts';
import type { Trust } from '@sealwire/client/events';
import type { HistoryMessage } from '@sealwire/client/history';
import type { Cast, Member } from './cast.ts';

/** `words`: what follows the verb. Resolves when the server has it. Throws `ClientError`, as the SDK does. */
export type Verb = (cast: Cast, actor: string, ...words: string[]) => Promise<unknown>;

export const VERBS: Readonly<Record<string, Verb>> = {
  register: (cast, actor) => cast.register(actor),

  say: (cast, actor, to, ...text) => send(cast, actor, to!, text, {}),
  reply: (cast, actor, to, about, ...text) => send(cast, actor, to!, text, { about: about!, as: 'reply' }),
  react: (cast, actor, to, about, emoji) => send(cast, actor, to!, [emoji!], { about: about!, as: 'reactionTo' }),
  edit: (cast, actor, to, about, ...text) => send(cast, actor, to!, text, { about: about!, as: 'edits' }),
  delete: (cast, actor, to, about) => send(cast, actor, to!, [], { about: about!, as: 'deletes' }),
  async timer(cast, actor, to, seconds) {
    const { client } = cast.member(actor);
    await client.timers.set(cast.addressOf(to!), Number(seconds));
    await client.outbox.emptied();
  },

  link: (cast, actor, device, as) => {
    const wrong = (digits: string) => String((Number(digits) + 1) % 100).padStart(2, '0');
    const typed = as === 'mistyped' ? wrong : (digits: string) => digits;
    return cast.link(deviceOf(actor, device!), cast.member(actor), typed, as === 'administrator');
  },
  recover: (cast, actor, device) => cast.recover(deviceOf(actor, device!), cast.member(actor)),
  remove: (cast, actor, device) =>
    cast.member(actor).client.devices.remove(cast.member(deviceOf(actor, device!)).client.device),
  undo: async (cast, actor) => cast.names.device((await cast.member(actor).client.devices.undoLinking()).device),
  async leave(cast, actor) {
    await cast.member(actor).client.account.leave();
  },
  async devices(cast, actor, of) {
    const { client } = cast.member(actor);
    const all = of ? (await client.trust.peer(cast.addressOf(of))).devices : await client.devices.list();
    return all
      .map(({ id }) => cast.names.device(id))
      .toSorted()
      .join(' ');
  },

  async group(cast, actor, verb, name, ...words) {
    const { client } = cast.member(actor);
    const act = GROUP_VERBS[verb!];
    if (!act) throw new Error(`nobody can ${verb} a group`);
    const answer = await act(cast, cast.member(actor), name!, words);
    await client.outbox.emptied();
    return answer;
  },

  async contact(cast, actor, verb, who, ...words) {
    const { contacts } = cast.member(actor).client;
    const name = cast.addressOf(who!);
    if (verb === 'add') await contacts.add(name, { name: words.join(' ') });
    else if (verb === 'accept') await contacts.accept(name);
    else if (verb === 'decline') await contacts.decline(name);
    else if (verb === 'remove') await contacts.remove(name);
    else throw new Error(`nobody can ${verb} a contact`);
    await contacts.synced();
  },
  async contacts(cast, actor) {
    const all = cast.member(actor).client.contacts.list();
    return all.map(({ address, name }) => `${cast.names.account(address)}${name && ` (${name})`}`).join(', ') || 'none';
  },
  async policy(cast, actor, policy) {
    const { contacts } = cast.member(actor).client;
    await contacts.setPolicy(policy as ContactPolicy);
    await contacts.synced();
  },
  async block(cast, actor, who) {
    await cast.member(actor).client.blocks.add(cast.addressOf(who!));
  },
  async unblock(cast, actor, who) {
    await cast.member(actor).client.blocks.remove(cast.addressOf(who!));
  },
  async blocks(cast, actor) {
    const all = await cast.member(actor).client.blocks.list();
    return all.map(cast.names.account).join(' ') || 'none';
  },

  async scan(cast, actor, who) {
    const me = cast.member(actor);
    const shown = await cast.member(who!).client.verification.safetyNumber(me.client.address);
    return me.client.verification.compare(cast.addressOf(who!), shown.code);
  },
  async digits(cast, actor, who) {
    const me = cast.member(actor).client;
    const theirs = await cast.member(who!).client.verification.safetyNumber(me.address);
    const mine = await me.verification.safetyNumber(cast.addressOf(who!));
    return mine.digits === theirs.digits ? 'the same' : 'others';
  },
  async compare(cast, actor, who) {
    await cast.member(actor).client.verification.request(cast.addressOf(who!));
  },
  async accept(cast, actor) {
    const { client, dialogue } = cast.member(actor);
    client.verification.accept(dialogue!.id);
  },
  confirm: (cast, actor) => {
    const { client, dialogue } = cast.member(actor);
    return client.verification.confirm(dialogue!.id);
  },
  differ: (cast, actor) => {
    const { client, dialogue } = cast.member(actor);
    return client.verification.different(dialogue!.id);
  },
  async characters(cast, actor, who) {
    const [mine, theirs] = [actor, who!].map((each) => cast.member(each).dialogue?.shortString);
    return mine !== undefined && mine === theirs ? 'the same' : 'others';
  },
  trust: async (cast, actor, who) => (await cast.member(actor).client.trust.peer(cast.addressOf(who!))).trust,
  async judge(cast, actor, device, trust) {
    await cast.member(actor).client.trust.set(cast.member(device!).client.device, trust as Trust);
  },
  async only(cast, actor, policy) {
    await cast.member(actor).client.trust.policy.set(policy === 'trusted' ? 'trusted-only' : 'everyone');
  },

  async keep(cast, actor) {
    await cast.member(actor).client.history.configure({ on: true });
  },
  async history(cast, actor, of) {
    const { messages } = await cast.member(actor).client.history.page(cast.addressOf(of!));
    return transcript(cast, messages);
  },
  async search(cast, actor, ...words) {
    const { messages } = await cast.member(actor).client.history.search(words.join(' '));
    return transcript(cast, messages);
  },
  async forget(cast, actor, of) {
    await cast.member(actor).client.history.clear(cast.addressOf(of!));
  },
  async hand(cast, actor, to) {
    const passphrase = 'correct horse battery';
    const file = cast.member(actor).client.history.export(passphrase, { cost: 10 });
    const { added, passedOver } = await cast.member(to!).client.history.import(file, passphrase);
    return `${added} added, ${passedOver} passed over`;
  },
};

type GroupVerb = (cast: Cast, member: Member, name: string, words: string[]) => Promise<unknown>;

const GROUP_VERBS: Readonly<Record<string, GroupVerb>> = {
  async create(cast, { client }, name, members) {
    const { address } = await client.groups.create(
      name,
      members.map((each) => cast.addressOf(each)),
    );
    cast.call(name, { value: address });
  },
  invite: (cast, { client }, name, who) =>
    client.groups.invite(
      cast.addressOf(name),
      who.map((each) => cast.addressOf(each)),
    ),
  async join(cast, { client }, name) {
    await client.groups.join(cast.addressOf(name));
  },
  decline: (cast, { client }, name) => client.groups.decline(cast.addressOf(name)),
  leave: (cast, { client }, name) => client.groups.leave(cast.addressOf(name)),
  remove: (cast, { client }, name, [who]) => client.groups.remove(cast.addressOf(name), cast.addressOf(who!)),
  promote: (cast, { client }, name, [who]) => client.groups.promote(cast.addressOf(name), cast.addressOf(who!)),
  demote: (cast, { client }, name, [who]) => client.groups.demote(cast.addressOf(name), cast.addressOf(who!)),
  rename: (cast, { client }, name, subject) => client.groups.rename(cast.addressOf(name), subject.join(' ')),
  async link(cast, { client }, name, [label, uses]) {
    const bounds = uses === undefined ? {} : { uses: Number(uses) };
    cast.call(label!, { value: await client.groups.makeLink(cast.addressOf(name), bounds) });
  },
  async revoke(cast, { client }, name) {
    const address = cast.addressOf(name);
    await client.groups.revokeLink(address, client.groups.info(address).links.at(-1)!.id);
  },
  async follow(cast, { client }, label) {
    await client.groups.joinByLink(cast.called(label).value);
  },
  async members(cast, { client }, name) {
    const { members } = client.groups.info(cast.addressOf(name));
    return members
      .map(({ address }) => cast.names.account(address))
      .toSorted()
      .join(' ');
  },
};

interface About {
  readonly about?: string;
  readonly as?: 'reply' | 'reactionTo' | 'edits' | 'deletes';
}

/** A last word `#name` names the message. */
async function send(cast: Cast, actor: string, to: string, words: string[], { about, as }: About): Promise<void> {
  const label = words.at(-1)?.startsWith('#') ? words.at(-1) : undefined;
  const { client } = cast.member(actor);
  const body = new TextEncoder().encode(words.slice(0, label ? -1 : undefined).join(' '));
  const { value: id = '', author } = about === undefined ? {} : cast.called(about);
  const relation = as === 'reply' ? { reply: { id, sender: author! } } : as && { [as]: id };
  const sent = await client.send(cast.addressOf(to), { type: 'text/plain', body, ...relation });
  if (label) cast.call(label, { value: sent.id, author: client.address });
  await sent.accepted;
}

function transcript(cast: Cast, messages: readonly HistoryMessage[]): string {
  const lines = messages.map(({ from, text }) => `${cast.names.account(from)}: ${text}`);
  return lines.toReversed().join(' | ') || 'nothing';
}

function deviceOf(actor: string, device: string): string {
  return device === 'first' ? actor.split('/')[0]! : `${actor.split('/')[0]}/${device}`;
}
