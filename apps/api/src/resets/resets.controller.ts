/** `/v1/resets` */
import type { IncomingMessage } from 'node:http';
import { Body, Controller, Inject, Post, Req, Res } from '@nestjs/common';
import type { HeaderSink } from '@sealwire/service/rate-limit';
import { type AccountAnswer, ResetAccountBody } from '@sealwire/wire/http';
import type { z } from 'zod';
import type { ApiLimiters } from '../limiters.ts';
import { LIMITERS, RESETS } from '../ports.ts';
import type { ResetService } from './reset-service.ts';

@Controller('v1/resets')
export class ResetsController {
  constructor(
    @Inject(RESETS) private readonly resets: ResetService,
    @Inject(LIMITERS) private readonly limiters: ApiLimiters,
  ) {}

  @Post()
  async reset(
    @Body({ schema: ResetAccountBody }) body: z.output<typeof ResetAccountBody>,
    @Req() request: { raw: IncomingMessage },
    @Res({ passthrough: true }) reply: HeaderSink & { code(status: number): void },
  ): Promise<z.output<typeof AccountAnswer>> {
    await this.limiters.account(request.raw, reply);
    const { account, done } = await this.resets.reset(body);
    reply.code(done ? 201 : 200);
    return { address: account.address, createdAt: account.createdAt };
  }
}
