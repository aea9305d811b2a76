/** `/v1/login/…` */
import type { IncomingMessage } from 'node:http';
import { Body, Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { type ChallengeAnswer, ChallengeBody, type TokenAnswer, TokenBody } from '@sealwire/wire/http';
import type { z } from 'zod';
import type { ApiLimiters } from './limiters.ts';
import type { LoginService } from './login-service.ts';
import { LIMITERS, LOGINS } from './ports.ts';

@Controller('v1/login')
export class LoginController {
  constructor(
    @Inject(LOGINS) private readonly logins: LoginService,
    @Inject(LIMITERS) private readonly limiters: ApiLimiters,
  ) {}

  @Post('challenge')
  @HttpCode(200)
  async challenge(
    @Body({ schema: ChallengeBody }) body: z.output<typeof ChallengeBody>,
    @Req() request: { raw: IncomingMessage },
  ): Promise<z.output<typeof ChallengeAnswer>> {
    await this.limiters.login(request.raw, body.device);
    return this.logins.challenge(body.device);
  }

  @Post('token')
  @HttpCode(200)
  async token(
    @Body({ schema: TokenBody }) body: z.output<typeof TokenBody>,
    @Req() request: { raw: IncomingMessage },
  ): Promise<z.output<typeof TokenAnswer>> {
    await this.limiters.login(request.raw, body.device);
    return this.logins.token(body);
  }
}
