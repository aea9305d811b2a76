/**
 * The sample of Linphone's page on encryption engines: XOR with a word, which hides nothing. For tests, and to be read before one writes
 * an engine; refused where the server is not this machine.
 */
import { ClientError } from '../errors.ts';
import { CONTENT_TYPE, callbackEngine, SKIPPED } from './callback-engine.ts';
import { callbackFiles, type FileChunk } from './callback-files.ts';
import type { EngineFactory } from './engine.ts';

const XOR_TYPE = 'cipher/xor';
const NOT_ACCEPTABLE_HERE = 488;
const FILE_KEY_BYTES = 32;
const THIS_MACHINE = ['localhost', '127.0.0.1', '[::1]'];

export function xorEngine(word: string): EngineFactory {
  return ({ server, crypto, random }) => {
    if (word === '' || !THIS_MACHINE.includes(new URL(server).hostname))
      throw new ClientError(
        'engine-refused',
        `the engine xor hides nothing: it wants a word, and a server on this machine instead of ${server}`,
      );
    const key = new TextEncoder().encode(word);
    const crypt = (bytes: Uint8Array) => bytes.map((byte, i) => byte ^ key[i % key.length]!);
    const cryptFile = ({ key: fileKey, offset, chunk }: FileChunk) =>
      chunk.map((byte, i) => byte ^ key[(offset + i) % key.length]! ^ fileKey[(offset + i) % fileKey.length]!);
    const files = {
      isEncryptionEnabledForFileTransfer: () => true,
      generateFileKey: () => random(FILE_KEY_BYTES),
      processUploadingFile: cryptFile,
      processDownloadingFile: cryptFile,
    };
    return callbackEngine({
      id: 'xor',
      mustBeChosen: true,
      processOutgoing: ({ contentType, body }) =>
        contentType === CONTENT_TYPE ? { contentType: XOR_TYPE, body: crypt(body) } : SKIPPED,
      processIncoming: ({ contentType, body }) =>
        contentType === XOR_TYPE ? { contentType: CONTENT_TYPE, body: crypt(body) } : NOT_ACCEPTABLE_HERE,
      files: callbackFiles('xor', files, crypto),
    });
  };
}
