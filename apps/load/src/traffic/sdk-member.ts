/** A member that is the SDK's: every message is encrypted and decrypted by LIME. Its keys lie in a file between runs. */
import { Client } from '@sealwire/client/client';
import { ClientError } from '@sealwire/client/errors';
import type { IncomingEvent } from '@sealwire/client/events';
import { accountOf, parseDeviceId } from '@sealwire/wire/ids';
import { KeptStorage } from '../identities/kept-storage.ts';
import type { Scene } from './activity.ts';
import type { Member, MemberEvents } from './member.ts';
import { HEADER_BYTES } from './payload.ts';

/** What an SDK tells when all is well. */
const NO_FAULTS: readonly IncomingEvent['kind'][] = [
  'caught-up',
  'devices-changed',
  'delivered',
  'displayed',
  'displayed-elsewhere',
];

const TYPE = 'application/octet-stream';

export interface SdkMemberTerms {
  readonly device: string;
  readonly others: readonly string[];
  /** Of `KeptStorage`. */
  readonly keysFile: string;
  readonly filling: Uint8Array;
  readonly scene: Scene;
}

export class SdkMember implements Member {
  readonly device: string;
  readonly #terms: SdkMemberTerms;
  readonly #events: MemberEvents;
  #client: Client | undefined;
  #reading: Promise<void> | undefined;

  constructor(terms: SdkMemberTerms, events: MemberEvents) {
    this.device = terms.device;
    this.#terms = terms;
    this.#events = events;
  }

  get isOnline(): boolean {
    return this.#client?.state === 'online';
  }

  async open(): Promise<void> {
    const { keysFile, scene } = this.#terms;
    const began = scene.now();
    this.#client = await Client.open({ storage: new KeptStorage(keysFile), runtime: scene.runtime });
    this.#reading = this.#read(this.#client);
    await this.#client.connect();
    scene.tally.time('connect', scene.now() - began);
    scene.tally.count('connected');
  }

  send(number: number, header: Uint8Array): void {
    const { others, filling } = this.#terms;
    const body = new Uint8Array(HEADER_BYTES + filling.length);
    body.set(header);
    body.set(filling, HEADER_BYTES);
    const sending = others.map(async (device) => {
      const { accepted } = await this.#client!.send(accountOf(parseDeviceId(device)), { type: TYPE, body });
      const { leftOut } = await accepted;
      if (leftOut.length > 0) this.#events.leftOut(number, leftOut);
    });
    Promise.all(sending).then(
      () => this.#events.accepted(number),
      (error: unknown) => {
        const code = error instanceof ClientError ? error.code : 'failed';
        // What was not accepted when the run ends is judged as that.
        if (code !== 'closed') this.#events.refused(number, code);
      },
    );
  }

  async close(): Promise<void> {
    await this.#client?.close();
    await this.#reading;
  }

  async #read(client: Client): Promise<void> {
    try {
      for await (const event of client.messages()) this.#got(event);
    } catch (error) {
      this.#terms.scene.warn(`${this.device} stopped: ${(error as Error).message}`);
    }
  }

  #got(event: IncomingEvent): void {
    if (event.kind === 'message') this.#events.received(event.device, event.body);
    else if (!NO_FAULTS.includes(event.kind)) this.#terms.scene.tally.count(`told ${event.kind}`);
  }
}
