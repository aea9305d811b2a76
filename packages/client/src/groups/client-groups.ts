/**
 * What an application does with groups (docs/spec/groups.md): makes them, changes them, joins and leaves. A change is an event that the
 * account key signs; it is durable here, with the messages that tell it to others, when the call resolves. Messages to a group are sent by
 * `Client.send` to its address.
 */
import { encodeFileDescriptor, type FileDescriptor } from '@sealwire/wire/file-descriptor';
import { GROUP_INVITED } from '@sealwire/wire/group-event';
import { formatGroupLink } from '@sealwire/wire/group-link';
import type { AccountAddress } from '@sealwire/wire/ids';
import type { PeerBook } from '../accounts/peer-book.ts';
import { ClientError } from '../errors.ts';
import { checkLifetime } from '../messages/conversation-timer.ts';
import type { Ledger, Transaction } from '../storage/ledger.ts';
import type { Group, GroupAct } from './group.ts';
import { type GroupInfo, groupInfoOf } from './group-info.ts';
import type { GroupLinks } from './group-links.ts';
import { linkId } from './group-links.ts';
import type { GroupMail } from './group-mail.ts';
import type { GroupStore, LinkBounds } from './group-store.ts';

export type { GroupInfo, GroupMember } from './group-info.ts';

export interface ClientGroupsOptions {
  readonly store: GroupStore;
  readonly mail: GroupMail;
  readonly links: GroupLinks;
  readonly ledger: Ledger;
  readonly book: PeerBook;
  readonly own: AccountAddress;
  readonly addressOf: (name: string) => AccountAddress;
}

const NO_BYTES = new Uint8Array(0);

export class ClientGroups {
  readonly #options: ClientGroupsOptions;

  constructor(options: ClientGroupsOptions) {
    this.#options = options;
  }

  /** Groups that this account is a member of or invited to, by subject. */
  list(): GroupInfo[] {
    const { store, own } = this.#options;
    const infos = store.all().map((group) => groupInfoOf(group, own));
    return infos.filter(({ standing }) => standing !== 'none').sort((a, b) => (a.subject < b.subject ? -1 : 1));
  }

  /** By address, or by the subject of the only group that has it. Throws `no-such-group`. */
  info(group: string): GroupInfo {
    return groupInfoOf(this.#find(group), this.#options.own);
  }

  /**
   * Makes a group with this account as its administrator, and invites `members` (names or addresses). Resolves with it when that is durable.
   * Throws `not-administrator` on a device without the account key, `bad-address`, `unknown-account`, `bad-request`.
   */
  async create(subject: string, members: readonly string[] = []): Promise<GroupInfo> {
    const { store, mail, ledger, own } = this.#options;
    const invited = await this.#accounts(members);
    const { group, publish } = await ledger.commit((transaction) => {
      const made = store.create(transaction, subject);
      const before =
        invited.length === 0 ? made : store.act(transaction, made.address, { kind: 'invite', members: invited });
      const publish = [mail.toGroup(transaction, before, before.log.since([]))];
      for (const { address } of invited) publish.push(mail.log(transaction, address, before, before.log.since([])));
      return { group: before, publish };
    });
    for (const each of publish) each();
    return groupInfoOf(group, own);
  }

  /** Asks accounts to join; each becomes a member by its own word. Throws as `create`, and `not-a-member`, `group-refused`. */
  async invite(group: string, members: readonly string[]): Promise<void> {
    const invited = await this.#accounts(members);
    await this.#act(
      group,
      () => ({ kind: 'invite', members: invited }),
      (transaction, after) =>
        invited.map(({ address }) => this.#options.mail.log(transaction, address, after, after.log.since([]))),
    );
  }

  /** Accepts an invitation. Throws `no-such-group`, `not-invited`. */
  async join(group: string): Promise<GroupInfo> {
    const { own } = this.#options;
    const joined = await this.#act(group, ({ invited }) => {
      const invitation = invited.get(own)?.invitation;
      if (!invitation)
        throw new ClientError('not-invited', 'this account is not invited to the group, or it has joined');
      return { kind: 'join', invitation };
    });
    return groupInfoOf(joined, own);
  }

  /** Refuses an invitation: who is in the group hears of it. Throws as `join`. */
  async decline(group: string): Promise<void> {
    const { own } = this.#options;
    await this.#act(group, ({ invited }) => {
      const invitation = invited.get(own)?.invitation;
      if (!invitation)
        throw new ClientError('not-invited', 'this account is not invited to the group, or it has joined');
      return { kind: 'leave', invitation };
    });
  }

  /** Throws `no-such-group`, `not-a-member`. */
  async leave(group: string): Promise<void> {
    await this.#act(group, () => ({ kind: 'leave', invitation: NO_BYTES }));
  }

  /** Who is removed is told, and gets nothing that is written from then on. Throws `not-a-member`, `group-refused`. */
  async remove(group: string, member: string): Promise<void> {
    const address = this.#options.addressOf(member);
    const before = this.#find(group);
    await this.#act(
      group,
      () => ({ kind: 'remove', member: address }),
      (transaction, after) => [this.#options.mail.log(transaction, address, after, after.log.since(before.log.heads))],
    );
  }

  /** Makes a member an administrator. Throws as `remove`. */
  async promote(group: string, member: string): Promise<void> {
    const address = this.#options.addressOf(member);
    await this.#act(group, () => ({ kind: 'promote', member: address }));
  }

  /** Makes an administrator a member like others. Throws as `remove`. */
  async demote(group: string, member: string): Promise<void> {
    const address = this.#options.addressOf(member);
    await this.#act(group, () => ({ kind: 'demote', member: address }));
  }

  async rename(group: string, subject: string): Promise<void> {
    await this.#act(group, () => ({ kind: 'rename', subject }));
  }

  /** `picture`: of a file that was uploaded for the group (`ClientFiles.upload`); undefined: none. */
  async setPicture(group: string, picture: FileDescriptor | undefined): Promise<void> {
    const descriptor = picture ? encodeFileDescriptor(picture) : NO_BYTES;
    await this.#act(group, () => ({ kind: 'picture', descriptor }));
  }

  /** How long messages may be shown, in seconds; 0: no end. Goes for what is written from then on. */
  async setTimer(group: string, lifetime: number): Promise<void> {
    checkLifetime(lifetime);
    await this.#act(group, () => ({ kind: 'timer', lifetime }));
  }

  /**
   * A link by which accounts join, to be given to them in any way; who has it can join, until `expiresAt` (ms since 1970), as often as `uses`
   * says, or until it is revoked. Throws `not-administrator`, `not-a-member`, `group-refused`.
   */
  async makeLink(group: string, bounds: LinkBounds = {}): Promise<string> {
    const { store, mail, ledger } = this.#options;
    const { address } = this.#find(group);
    const { link, publish } = await ledger.commit((transaction) => {
      const before = store.read(transaction, address)!;
      const { group: after, link } = store.makeLink(transaction, address, bounds);
      return { link, publish: mail.toGroup(transaction, after, after.log.since(before.log.heads)) };
    });
    publish();
    return formatGroupLink(link);
  }

  /** `id`: of `GroupInfo.links`. Throws as `makeLink`, and `not-found`. */
  async revokeLink(group: string, id: string): Promise<void> {
    const link = this.#find(group).state.links.find((each) => linkId(each) === id)?.link;
    if (!link) throw new ClientError('not-found', 'there is no such link: it was revoked, or look at `info` again');
    await this.#act(group, () => ({ kind: 'link-revoked', link }));
  }

  /**
   * Asks to be let in by a link. Resolves with the group's address when that is durable; a `group-changed` tells that this account has joined,
   * once a device of who made the link has answered. Throws `bad-group-link`, `account-key-changed`, `not-administrator`.
   */
  joinByLink(link: string): Promise<AccountAddress> {
    return this.#options.links.ask(link);
  }

  /** An event of ours, in one write with the messages that tell it. */
  async #act(
    name: string,
    action: (group: Group) => GroupAct,
    also: (transaction: Transaction, after: Group) => (() => void)[] = () => [],
  ): Promise<Group> {
    const { store, mail, ledger } = this.#options;
    const { address } = this.#find(name);
    const { after, publish } = await ledger.commit((transaction) => {
      const before = store.read(transaction, address)!;
      const after = store.act(transaction, address, action(before));
      const publish = [
        mail.toGroup(transaction, after, after.log.since(before.log.heads)),
        ...also(transaction, after),
      ];
      return { after, publish };
    });
    for (const each of publish) each();
    return after;
  }

  #find(name: string): Group {
    const { store } = this.#options;
    return store.named(name);
  }

  /** With the account keys that this device has pinned. */
  async #accounts(names: readonly string[]): Promise<{ address: AccountAddress; key: Uint8Array }[]> {
    const { book, own, addressOf } = this.#options;
    const addresses = [...new Set(names.map(addressOf))].filter((address) => address !== own);
    if (addresses.length > GROUP_INVITED)
      throw new ClientError(
        'bad-request',
        `at most ${GROUP_INVITED} accounts are invited at once: invite the others after`,
      );
    return Promise.all(
      addresses.map(async (address) => {
        const { accountKey } = book.find(address) ?? (await book.refresh(address));
        return { address, key: accountKey };
      }),
    );
  }
}
