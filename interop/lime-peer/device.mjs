// A liblime device of the checks: a client of its own in the peer process, registered at the site's server.
import { join } from 'node:path';
import { base64, fromBase64 } from './lime-peer.mjs';

const ONE_TIME_PREKEYS = 3;
const SIZES = { c25519: { x: 32, ed: 32 }, c448: { x: 56, ed: 57 } };

export class Device {
  #site;
  #client;

  constructor(site, client, name, id) {
    this.#site = site;
    this.#client = client;
    this.name = name;
    this.id = id;
  }

  /** `name`: the person's name, then digits; a person's devices share an account. Rejects when the server refuses. */
  static async register(site, curve, name, { client = name, oneTimePrekeys = ONE_TIME_PREKEYS } = {}) {
    const person = name.replace(/\d+$/, '');
    const id = site.bareIds
      ? `${person}.d${name.slice(person.length)}.${site.run}`
      : `sip:${person}@${site.domain};gr=urn:uuid:${site.run}-${name}`;
    const device = new Device(site, `${site.run} ${client}`, name, id);
    await device.#must({ cmd: 'open', db: join(site.folder, `${device.#client}.sqlite`) });
    const command = { cmd: 'create_user', client: device.#client, device: id, server: site.url, curve };
    await site.register({ ...command, opk_batch: oneTimePrekeys });
    return device;
  }

  /** Rejects when nobody could be encrypted to. */
  async encrypt(to, text, { policy = 'DRMessage', user = 'sip:friends@conf.example.org' } = {}) {
    const answer = await this.#must({
      cmd: 'encrypt',
      from: this.id,
      recipient_user: user,
      to: to.map(({ id }) => id),
      plaintext_b64: base64(Buffer.from(text)),
      policy,
    });
    const messages = new Map(answer.recipients.map((each) => [each.device, fromBase64(each.dr_message_b64)]));
    const statuses = answer.recipients.map(({ status }) => status);
    return new Message(user, messages, fromBase64(answer.cipher_message_b64), statuses);
  }

  /** `{ status, text }`, `{ status: 'fail' }`; rejects when liblime throws. */
  async decrypt(from, message) {
    const { status, plaintext_b64 } = await this.#must({
      cmd: 'decrypt',
      device: this.id,
      from: from.id,
      recipient_user: message.user,
      dr_message_b64: base64(message.to(this)),
      cipher_message_b64: base64(message.cipherMessage),
    });
    return status === 'fail' ? { status } : { status, text: Buffer.from(fromBase64(plaintext_b64)).toString() };
  }

  /** Made due. The answer's `http` is what was asked of the server, and what it said. */
  update(options) {
    const command = { cmd: 'update', device: this.id, force: true, trace: true, ...options };
    return this.#site.peer.call({ client: this.#client, ...command });
  }

  async identityKey() {
    return (await this.#must({ cmd: 'get_self_ik', device: this.id })).ik_b64;
  }

  async statusOf(peer) {
    return (await this.#must({ cmd: 'get_peer_status', device: peer.id })).status;
  }

  async setStatusOf(peer, status, identityKey) {
    const key = identityKey === undefined ? {} : { ik_b64: identityKey };
    return (await this.#must({ cmd: 'set_peer_status', device: peer.id, status, ...key })).status;
  }

  /** Bytes that liblime would not send, in the name and with the credentials of this device. */
  async post(body) {
    const command = { cmd: 'post', device: this.id, server: this.#site.url, body_b64: base64(body) };
    const { http_status, body_b64 } = await this.#must(command);
    return { status: http_status, body: fromBase64(body_b64) };
  }

  delete() {
    return this.#must({ cmd: 'delete_user', device: this.id });
  }

  forget(peer) {
    return this.#must({ cmd: 'delete_peer_device', device: peer.id });
  }

  staleSessionsWith(peer) {
    return this.#must({ cmd: 'stale_sessions', device: this.id, peer: peer.id });
  }

  advance(days) {
    return this.#must({ cmd: 'advance_time', days });
  }

  #must(command) {
    return this.#site.peer.must({ client: this.#client, ...command });
  }
}

/** One plaintext for several devices. */
class Message {
  #messages;

  constructor(user, messages, cipherMessage, statuses) {
    this.user = user;
    this.cipherMessage = cipherMessage;
    /** What the sender believed of each recipient, in their order. */
    this.statuses = statuses;
    this.#messages = messages;
  }

  /** The Double Ratchet message for that device. */
  to({ id }) {
    return this.#messages.get(id);
  }

  /** The same, said to be for somebody else. */
  for(user) {
    return new Message(user, this.#messages, this.cipherMessage, this.statuses);
  }

  /** The same with other bytes for one device. */
  with({ id }, bytes) {
    return new Message(this.user, new Map(this.#messages).set(id, bytes), this.cipherMessage, this.statuses);
  }
}

/** What the header of a Double Ratchet message says. */
export function header(message, curve) {
  const { x, ed } = SIZES[curve];
  const hasInit = (message[1] & 1) !== 0;
  const hasOneTimePrekey = hasInit && message[3] === 1;
  const at = hasInit ? 8 + ed + x + (hasOneTimePrekey ? 4 : 0) : 3;
  const number = (message[at] << 8) | message[at + 1];
  return { isDirect: (message[1] & 2) !== 0, hasInit, hasOneTimePrekey, number };
}
