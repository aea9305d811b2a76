/** The one place that knows all adapters: `BLOBS_URL` chooses, and only the chosen one is loaded. Mains call it, nobody else. */
import { BlobError, type Blobs } from './port.ts';

export interface OpenBlobsTerms {
  /** Of an S3 server: who calls. */
  readonly accessKey?: string | undefined;
  readonly secretKey?: string | undefined;
  readonly region?: string | undefined;
  /** Where clients reach the S3 server, `https://HOST`; undefined: where this process does. */
  readonly publicOrigin?: string | undefined;
}

/**
 * `file:FOLDER`: a folder of this machine. `s3+https://HOST/BUCKET`, `s3+http://HOST/BUCKET`: an S3 server. Rejects with a `BlobError`
 * whose one line names the value's problem and the fix.
 */
export async function openBlobs(url: string, terms: OpenBlobsTerms = {}): Promise<Blobs> {
  const [, folder] = /^file:(.+)$/.exec(url) ?? [];
  if (folder !== undefined) {
    const { openFileBlobs } = await import('./files.ts');
    return openFileBlobs({ folder });
  }
  const [, endpoint, bucket] = /^s3\+(https?:\/\/[^/?#@]+)\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])$/.exec(url) ?? [];
  if (endpoint !== undefined && bucket !== undefined) {
    const { accessKey, secretKey, region = 'us-east-1', publicOrigin = endpoint } = terms;
    if (accessKey === undefined || secretKey === undefined)
      throw new BlobError('unavailable', 'an S3 server wants a key: set BLOBS_ACCESS_KEY and BLOBS_SECRET_KEY');
    const { openS3Blobs } = await import('./s3.ts');
    return openS3Blobs({ endpoint, publicEndpoint: publicOrigin, bucket, region, accessKey, secretKey });
  }
  throw new BlobError('unavailable', 'not a place for files: use file:FOLDER or s3+https://HOST/BUCKET');
}
