/**
 * A device of our SDK as a member of a Linphone's room. Its client makes each message and decides on its form; what goes into the relay's
 * envelope, its engine seals once more for the devices of the room, and SIP carries it as Linphone does (docs/spec/messages.md sections 4
 * and 5).
 */
import type {
  EncryptionEngine,
  EngineContext,
  EngineDevice,
  EngineFactory,
  EngineResult,
} from '@sealwire/client/engine';
import type { Content } from '@sealwire/client/events';
import { limeEngine } from '@sealwire/client/lime-engine';
import { type ChatMessage, readChatMessage } from '@sealwire/cpim/chat-message';
import { deflateBody, inflateBody } from '@sealwire/cpim/node/content-encoding';
import { readOuterBody, writeOuterBody } from '@sealwire/cpim/outer-body';
import { systemRandom } from '@sealwire/crypto/random';
import type { DeviceId } from '@sealwire/wire/ids';
import { headerOf } from './sip-message.ts';
import { SipUserAgent } from './sip-user-agent.ts';
import type { Person, Room, World } from './world.ts';

export interface ReadMessage {
  readonly sender: DeviceId;
  readonly message: ChatMessage;
  readonly text: string;
}

export class SdkMember {
  readonly device: DeviceId;
  readonly #engine: SeenEngine;
  readonly #agent: SipUserAgent;

  private constructor(
    readonly person: Person,
    engine: SeenEngine,
    agent: SipUserAgent,
  ) {
    this.device = person.client.device;
    this.#engine = engine;
    this.#agent = agent;
  }

  static async join(world: World, name: string): Promise<SdkMember> {
    const engine = new SeenEngine();
    const person = await world.person(name, [engine.factory]);
    const { client, address } = person;
    const agent = await SipUserAgent.register(world.registrar.port, client.device);
    world.introduce(client.device, address);
    await client.connect();
    return new SdkMember(person, engine, agent);
  }

  /** Sends to `friend`, one of whose devices is a LIME device of somebody else's, and the same to the room. */
  async write(room: Room, friend: Person, members: readonly EngineDevice[], content: Content | string): Promise<void> {
    const sent = await this.person.client.send(friend.address, content);
    await sent.accepted;
    await this.send(room, members, this.#engine.plaintexts.shift()!);
  }

  /** A CPIM message as it is. */
  async send(room: Room, members: readonly EngineDevice[], plaintext: Uint8Array): Promise<void> {
    const { parts, cipherMessage } = await this.#engine.seal(room.user, members, plaintext);
    const { id } = readChatMessage(plaintext);
    const outer = {
      from: this.device,
      ...(id !== undefined && { id }),
      parts: new Map(parts.map(({ device, content: message }) => [device, message])),
      ...(cipherMessage.length > 0 && { cipherMessage }),
    };
    const { contentType, body } = writeOuterBody(outer, Buffer.from(systemRandom(16)).toString('hex'));
    await this.#agent.send(room.address, { contentType, body: deflateBody(body) });
  }

  /** The next message of the room. `members`: among them its sender. */
  async read(room: Room, members: readonly EngineDevice[]): Promise<ReadMessage> {
    const carried = await this.#agent.next();
    const isDeflated = headerOf(carried, 'Content-Encoding') === 'deflate';
    const body = isDeflated ? inflateBody(carried.body) : carried.body;
    const { from, parts, cipherMessage } = readOuterBody(headerOf(carried, 'Content-Type')!, body);
    const sender = members.find(({ id }) => id === from)!;
    const sealed = { content: parts.get(this.device)!, cipherMessage: cipherMessage ?? new Uint8Array(0) };
    const message = readChatMessage(await this.#engine.open(room.user, sender, sealed));
    return { sender: sender.id, message, text: Buffer.from(message.body).toString() };
  }

  close(): void {
    this.#agent.close();
  }
}

/** The LIME engine of a client, that tells what it is given to encrypt, and works for a room besides. */
class SeenEngine {
  readonly plaintexts: Uint8Array[] = [];
  #lime: Required<EncryptionEngine> | undefined;
  #context: EngineContext | undefined;

  readonly factory: EngineFactory = (setup) => {
    const lime = limeEngine(setup) as Required<EncryptionEngine>;
    this.#lime = lime;
    const { id, keys, sessions, files } = lime;
    return {
      id,
      sessions,
      files,
      keys: {
        createDevice: (suites, transaction) => keys.createDevice(suites, transaction),
        publish: (context) => {
          this.#context = context;
          return keys.publish(context);
        },
        upkeep: (context) => keys.upkeep(context),
        checkKeys: (context) => keys.checkKeys(context),
      },
      gather: (draft, context) => lime.gather(draft, context),
      processOutgoing: (draft, gathered, transaction) => {
        this.plaintexts.push(draft.plaintext);
        return lime.processOutgoing(draft, gathered, transaction);
      },
      processIncoming: (message, transaction) => lime.processIncoming(message, transaction),
    };
  };

  async seal(recipientUser: Room['user'], recipients: readonly EngineDevice[], plaintext: Uint8Array) {
    const draft = { recipientUser, recipients, copies: [], plaintext };
    const gathered = done(await this.#lime!.gather(draft, this.#context!));
    return this.#context!.commit((transaction) => done(this.#lime!.processOutgoing(draft, gathered, transaction)));
  }

  open(
    recipientUser: Room['user'],
    sender: EngineDevice,
    sealed: { readonly content: Uint8Array; readonly cipherMessage: Uint8Array },
  ): Promise<Uint8Array> {
    const message = { sender, conversation: recipientUser, recipientUser, ...sealed };
    return this.#context!.commit((transaction) => done(this.#lime!.processIncoming(message, transaction)));
  }
}

function done<T>(result: EngineResult<T>): T {
  if (result.status === 'done') return result.value;
  throw new Error(result.status === 'error' ? result.code : result.status);
}
