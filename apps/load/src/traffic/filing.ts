/** Files: uploaded in parts, read back, compared, deleted (docs/spec/http.md section 4). The bytes are random, as encrypted ones are. */

import { call, json } from '@sealwire/light/calls';
import type { LightDevice } from '@sealwire/light/device';
import { AttachmentAnswer } from '@sealwire/wire/http';
import { LoadError } from '../errors.ts';
import type { Identities, Playing, Scene } from './activity.ts';
import { askAtRate } from './asking.ts';
import { connectAll } from './connecting.ts';
import { socketOf } from './idling.ts';

export interface FilingTerms {
  readonly rate: number;
  readonly size: number;
}

export class Filing implements Playing {
  readonly #scene: Scene;
  readonly #terms: FilingTerms;
  readonly #devices: readonly LightDevice[];
  readonly #content: Uint8Array<ArrayBuffer>;

  constructor(identities: Identities, terms: FilingTerms, scene: Scene) {
    this.#scene = scene;
    this.#terms = terms;
    this.#devices = identities.map((identity) => socketOf(identity, scene));
    this.#content = randomBytes(terms.size, scene);
  }

  async prepare(): Promise<void> {
    await connectAll(this.#scene, this.#devices);
    // Whether there are files at all is told before the load, not by its every answer.
    if (this.#devices[0])
      await this.#oneFile(this.#devices[0]).catch((cause: Error) => {
        throw new LoadError('failure', `no file can be kept there: ${cause.message}`, { cause });
      });
  }

  async play(from: number, until: number, signal: AbortSignal): Promise<void> {
    const { random } = this.#scene;
    const { rate } = this.#terms;
    if (this.#devices.length === 0) return;
    await askAtRate({ name: 'file', rate, from, until, signal, scene: this.#scene }, () =>
      this.#oneFile(this.#devices[Math.floor(random() * this.#devices.length)]!),
    );
  }

  async end(): Promise<void> {
    for (const device of this.#devices) device.end();
  }

  async #oneFile(device: LightDevice): Promise<void> {
    const { tally, now, offences } = this.#scene;
    const authorization = `Bearer ${await device.token()}`;
    const began = now();
    const begin = json('POST', { bytes: this.#content.length });
    const at = '/v1/attachments';
    const { id, parts } = AttachmentAnswer.parse(
      await (await call(this.#scene, at, { ...begin, headers: { ...begin.headers, authorization } })).json(),
    );
    // References are relative to the answer that they came in.
    for (const { offset, bytes, url } of parts)
      await call(this.#scene, new URL(url, new URL(at, this.#scene.server)).href, {
        method: 'PUT',
        headers: { 'content-type': 'application/octet-stream' },
        body: this.#content.subarray(offset, offset + bytes),
      });
    const completed = `${at}/${id}/complete`;
    const answer = await call(this.#scene, completed, { method: 'POST', headers: { authorization } });
    const { url = '' } = AttachmentAnswer.parse(await answer.json());
    const uploaded = now();
    tally.time('upload', uploaded - began);
    const read = await call(this.#scene, new URL(url, new URL(completed, this.#scene.server)).href);
    const back = new Uint8Array(await read.arrayBuffer());
    tally.time('download', now() - uploaded);
    if (Buffer.compare(back, this.#content) !== 0) offences.add('damaged', `file ${id} of ${device.id}`);
    await call(this.#scene, `${at}/${id}`, { method: 'DELETE', headers: { authorization } });
    tally.count('files');
  }
}

function randomBytes(size: number, { runtime }: Scene): Uint8Array<ArrayBuffer> {
  const pieceBytes = 65_536;
  const content = new Uint8Array(size);
  for (let at = 0; at < size; at += pieceBytes) content.set(runtime.random(Math.min(pieceBytes, size - at)), at);
  return content;
}
