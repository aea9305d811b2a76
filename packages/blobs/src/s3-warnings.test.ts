/** What an operator reads on stderr when files are on an S3 server. In a file of its own: the AWS client warns once a process. */
import { expect, it } from '@jest/globals';
import { openBlobs } from './open.ts';

it('the AWS client says nothing of the Node version that its later releases will want', async () => {
  const said: unknown[] = [];
  const { emitWarning } = process;
  process.emitWarning = (warning: unknown) => void said.push(warning);
  try {
    await openBlobs('s3+http://127.0.0.1:1/bucket', { accessKey: 'a', secretKey: 'b' }).catch(() => {});
    expect(said).toEqual([]);
  } finally {
    process.emitWarning = emitWarning;
  }
});
