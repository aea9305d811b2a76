/**
 * Files on an S3 server, each an object at the root of one bucket, sent by multipart upload. Clients speak to that server themselves, by
 * URLs that are signed here (Signature Version 4); this process only begins, completes and deletes. Nothing is asked for that many S3
 * servers lack: no life-cycle rules, no conditional writes, no batched deletes, no key below another.
 */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { partsOf } from './parts.ts';
import { BlobError, type Blobs, type SignedUrlTerms, type Upload } from './port.ts';

/** What Signature Version 4 allows. */
const LONGEST_URL_SECONDS = 7 * 86_400;
const CONNECT_MS = 5_000;
/** Of one try: completing a large file takes some servers a while. */
const ANSWER_MS = 60_000;
const TRIES = 3;
const FULL: ReadonlySet<string> = new Set(['QuotaExceeded', 'InsufficientStorage', 'XMinioStorageFull']);

export interface S3BlobsOptions {
  /** `https://HOST` as this process reaches it, and as clients do. */
  readonly endpoint: string;
  readonly publicEndpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
}

/**
 * The client's note, on Node 20, that releases of next year want Node 22: for whoever pins the client, not for whoever runs a
 * server, who could do nothing about it. This silences that note alone, and it can be told in no other way.
 */
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

/** Makes the bucket when it is missing. Rejects with a `BlobError` of one line that names the fix. */
export async function openS3Blobs(options: S3BlobsOptions): Promise<Blobs> {
  const { endpoint, publicEndpoint, bucket: Bucket } = options;
  const client = clientOf(endpoint, options);
  const signing = clientOf(publicEndpoint, options);
  try {
    await demandBucket(client, Bucket);
  } catch (error) {
    client.destroy();
    signing.destroy();
    throw openingFailure(error, options);
  }

  /** `undefined` instead of an error that says it is not there. */
  async function unlessMissing<Answer>(call: Promise<Answer>): Promise<Answer | undefined> {
    try {
      return await call;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw failure(error);
    }
  }

  /** By number; undefined: there is no such upload. */
  async function listed({ id, handle }: Upload): Promise<Map<number, { ETag: string; bytes: number }> | undefined> {
    const found = new Map<number, { ETag: string; bytes: number }>();
    for (let marker: string | undefined; ; ) {
      const command = { Bucket, Key: id, UploadId: handle, ...(marker !== undefined && { PartNumberMarker: marker }) };
      const page = await unlessMissing(client.send(new ListPartsCommand(command)));
      if (!page) return undefined;
      for (const { PartNumber, ETag, Size } of page.Parts ?? [])
        if (PartNumber !== undefined && ETag !== undefined) found.set(PartNumber, { ETag, bytes: Size ?? -1 });
      marker = page.NextPartNumberMarker;
      if (page.IsTruncated !== true || marker === undefined) return found;
    }
  }

  async function size(id: string): Promise<number | undefined> {
    const head = await unlessMissing(client.send(new HeadObjectCommand({ Bucket, Key: id })));
    return head?.ContentLength;
  }

  /** The server's clock is the one that counts; how far it is from ours, the client knows from the answers. */
  function signed({ now, until }: SignedUrlTerms) {
    const seconds = Math.floor((until - now) / 1_000);
    return {
      expiresIn: Math.max(1, Math.min(LONGEST_URL_SECONDS, seconds)),
      signingDate: new Date(now + client.config.systemClockOffset),
    };
  }

  return {
    way: {
      by: 'urls',

      partUrl({ id, handle }, { number, bytes }, terms) {
        const command = new UploadPartCommand({
          Bucket,
          Key: id,
          UploadId: handle,
          PartNumber: number,
          ContentLength: bytes,
        });
        // The length is signed as the header that a client sends anyway.
        const length = new Set(['content-length']);
        return getSignedUrl(signing, command, {
          ...signed(terms),
          signableHeaders: new Set(['host', ...length]),
          unhoistableHeaders: length,
        });
      },

      readUrl(id, terms) {
        const command = new GetObjectCommand({
          Bucket,
          Key: id,
          ResponseContentType: 'application/octet-stream',
          ResponseContentDisposition: 'attachment',
        });
        return getSignedUrl(signing, command, signed(terms));
      },
    },

    async begin(id) {
      const command = new CreateMultipartUploadCommand({ Bucket, Key: id, ContentType: 'application/octet-stream' });
      const { UploadId } = await client.send(command).catch((error) => {
        throw failure(error);
      });
      if (UploadId === undefined) throw new BlobError('unavailable', 'the S3 server began an upload without an id');
      return UploadId;
    },

    async partsThere(upload) {
      const [found, whole] = await Promise.all([listed(upload), size(upload.id)]);
      if (whole === upload.bytes) return [];
      return partsOf(upload.bytes).flatMap(({ number, bytes }) =>
        found?.get(number)?.bytes === bytes ? [number] : [],
      );
    },

    async complete(upload) {
      const { id, handle, bytes } = upload;
      // Swift knows an upload for as long as its object is there, and would complete it again with parts that came since.
      if ((await size(id)) === bytes) return;
      const found = await listed(upload);
      const parts = partsOf(bytes);
      if (found) {
        const missing = parts.filter((part) => found.get(part.number)?.bytes !== part.bytes).length;
        if (missing > 0) throw new BlobError('incomplete', `${missing} parts of the file are missing`);
        const Parts = parts.map(({ number }) => ({ PartNumber: number, ETag: found.get(number)!.ETag }));
        const command = { Bucket, Key: id, UploadId: handle, MultipartUpload: { Parts } };
        if (await unlessMissing(client.send(new CompleteMultipartUploadCommand(command)))) return;
      }
      // The same call at the same time may have been faster.
      if ((await size(id)) !== bytes) throw new BlobError('not-found', 'no such upload');
    },

    async abort({ id, handle }) {
      await unlessMissing(client.send(new AbortMultipartUploadCommand({ Bucket, Key: id, UploadId: handle })));
    },

    size,

    async delete(id) {
      await unlessMissing(client.send(new DeleteObjectCommand({ Bucket, Key: id })));
    },

    async sweep(before) {
      let swept = 0;
      let from: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {};
      for (;;) {
        const page = await client.send(new ListMultipartUploadsCommand({ Bucket, ...from })).catch((error) => {
          throw failure(error);
        });
        for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
          if (Initiated === undefined || Initiated.getTime() >= before) continue;
          await unlessMissing(client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })));
          swept++;
        }
        if (page.IsTruncated !== true) return swept;
        from = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
      }
    },

    async close() {
      client.destroy();
      signing.destroy();
    },
  };
}

function clientOf(endpoint: string, { region, accessKey, secretKey }: S3BlobsOptions): S3Client {
  return new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
    // Right for every server that is not AWS's own; and a signed URL must not hold a sum of an empty body.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: TRIES,
    requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: ANSWER_MS },
  });
}

async function demandBucket(client: S3Client, Bucket: string): Promise<void> {
  try {
    await client.send(new HeadBucketCommand({ Bucket }));
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
    await client.send(new CreateBucketCommand({ Bucket })).catch((refused: unknown) => {
      // Another node may have been faster.
      if (nameOf(refused) !== 'BucketAlreadyOwnedByYou' && nameOf(refused) !== 'BucketAlreadyExists') throw refused;
    });
  }
}

function openingFailure(error: unknown, { endpoint, bucket }: S3BlobsOptions): BlobError {
  const status = statusOf(error);
  const problem =
    status === 403
      ? `the S3 server ${endpoint} refuses the key for the bucket ${bucket}: check BLOBS_ACCESS_KEY, BLOBS_SECRET_KEY, BLOBS_REGION and this machine's clock`
      : status === undefined
        ? `the S3 server ${endpoint} cannot be reached (${codeOf(error)}): check the address, and that it runs`
        : `the S3 server ${endpoint} does not give the bucket ${bucket} (${status} ${nameOf(error)}): make it there`;
  return new BlobError('unavailable', problem, { cause: error });
}

/** An upload or an object; that the bucket itself is gone is a fault of the place. */
function isMissing(error: unknown): boolean {
  return statusOf(error) === 404 && nameOf(error) !== 'NoSuchBucket';
}

/** Its text stays in `cause`: it may repeat keys. */
function failure(error: unknown): BlobError {
  if (error instanceof BlobError) return error;
  const [status, name] = [statusOf(error), nameOf(error)];
  if (status === 507 || FULL.has(name))
    return new BlobError('full', 'no space left on the S3 server; free some', { cause: error });
  if (name === 'InvalidPart' || name === 'InvalidPartOrder' || name === 'EntityTooSmall')
    return new BlobError('incomplete', 'parts of the file are missing', { cause: error });
  return new BlobError('unavailable', `the S3 server did not answer as it should: ${status ?? codeOf(error)} ${name}`, {
    cause: error,
  });
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
}

function nameOf(error: unknown): string {
  return (error as { name?: string }).name ?? 'error';
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? nameOf(error);
}
