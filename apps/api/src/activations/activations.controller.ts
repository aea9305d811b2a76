/** `/v1/activations`: a code by mail. */
import type { IncomingMessage } from 'node:http';
import { Body, Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { HeaderSink } from '@sealwire/service/rate-limit';
import { type ActivationAnswer, ActivationBody } from '@sealwire/wire/http';
import type { z } from 'zod';
import type { ApiLimiters } from '../limiters.ts';
import { ACTIVATIONS, LIMITERS } from '../ports.ts';
import type { ActivationService } from './activation-service.ts';

@Controller('v1/activations')
export class ActivationsController {
  constructor(
    @Inject(ACTIVATIONS) private readonly activations: ActivationService,
    @Inject(LIMITERS) private readonly limiters: ApiLimiters,
  ) {}

  @Post()
  @HttpCode(202)
  async create(
    @Body({ schema: ActivationBody }) { email }: z.output<typeof ActivationBody>,
    @Req() request: { raw: IncomingMessage },
    @Res({ passthrough: true }) reply: HeaderSink,
  ): Promise<z.output<typeof ActivationAnswer>> {
    this.activations.check(email);
    await this.limiters.activation(request.raw, email, reply);
    return this.activations.send(email);
  }
}
