/** `/directory/manifests/…` */
import type { IncomingMessage } from 'node:http';
import { Body, Controller, Get, Inject, Param, Put, Query, Req, Res } from '@nestjs/common';
import type { HeaderSink } from '@sealwire/service/rate-limit';
import { ManifestAnswer, ManifestHistoryAnswer, SignedManifestBody } from '@sealwire/wire/http';
import { z } from 'zod';
import type { ForeignManifests } from '../foreign/foreign-manifests.ts';
import { FOREIGN_MANIFESTS, MANIFEST_LIMITERS, MANIFESTS } from '../ports.ts';
import { HistoryQuery } from './history-query.ts';
import type { ManifestLimiters } from './manifest-limiters.ts';
import type { ManifestService, NewestManifest } from './manifest-service.ts';

interface Raw {
  readonly raw: IncomingMessage;
}

@Controller('directory/manifests')
export class ManifestsController {
  constructor(
    @Inject(MANIFESTS) private readonly manifests: ManifestService,
    @Inject(FOREIGN_MANIFESTS) private readonly foreign: ForeignManifests,
    @Inject(MANIFEST_LIMITERS) private readonly limiters: ManifestLimiters,
  ) {}

  @Get(':name')
  async newest(
    @Param('name') name: string,
    @Req() request: Raw,
    @Res({ passthrough: true }) reply: HeaderSink,
  ): Promise<z.input<typeof ManifestAnswer>> {
    await this.limiters.read(request.raw, reply);
    const elsewhere = this.foreign.account(name);
    if (elsewhere) return z.encode(ManifestAnswer, await this.foreign.newest(elsewhere));
    return encode(await this.manifests.newest(name));
  }

  @Get(':name/history')
  async history(
    @Param('name') name: string,
    @Query({ schema: HistoryQuery }) query: z.output<typeof HistoryQuery>,
    @Req() request: Raw,
    @Res({ passthrough: true }) reply: HeaderSink,
  ): Promise<z.input<typeof ManifestHistoryAnswer>> {
    await this.limiters.read(request.raw, reply);
    const elsewhere = this.foreign.account(name);
    if (elsewhere) return z.encode(ManifestHistoryAnswer, await this.foreign.history(elsewhere, query.after));
    const { account, manifests, next } = await this.manifests.history(name, query.after);
    return z.encode(ManifestHistoryAnswer, {
      address: account.address,
      accountKey: account.accountKey,
      manifests: manifests.map(({ bytes, signature }) => ({ manifest: bytes, signature })),
      ...(next === undefined ? {} : { next }),
    });
  }

  @Put(':name')
  async publish(
    @Param('name') name: string,
    @Body({ schema: SignedManifestBody }) body: z.output<typeof SignedManifestBody>,
    @Req() request: Raw,
    @Res({ passthrough: true }) reply: HeaderSink,
  ): Promise<z.input<typeof ManifestAnswer>> {
    await this.limiters.write(request.raw, reply);
    return encode(await this.manifests.publish(name, body));
  }
}

function encode({ account, manifest, certificate }: NewestManifest): z.input<typeof ManifestAnswer> {
  return z.encode(ManifestAnswer, {
    address: account.address,
    accountKey: account.accountKey,
    version: manifest.version,
    manifest: manifest.bytes,
    signature: manifest.signature,
    ...(certificate && { certificate }),
  });
}
