/** `/v1/login/…` */
import type { IncomingMessage } from 'node:http';
import { Body, Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { Problem } from '@sealwire/service/problem';
import type { HeaderSink } from '@sealwire/service/rate-limit';
import {
  AppPasswordLoginBody,
  type ChallengeAnswer,
  ChallengeBody,
  type TokenAnswer,
  TokenBody,
} from '@sealwire/wire/http';
import type { z } from 'zod';
import type { ApiLimiters } from '../limiters.ts';
import { APP_PASSWORD_LOGIN, LIMITERS, LOGINS } from '../ports.ts';
import type { AppPasswordLogin } from './app-password-login.ts';
import type { LoginService } from './login-service.ts';

@Controller('v1/login')
export class LoginController {
  constructor(
    @Inject(LOGINS) private readonly logins: LoginService,
    @Inject(APP_PASSWORD_LOGIN) private readonly byAppPassword: AppPasswordLogin | null,
    @Inject(LIMITERS) private readonly limiters: ApiLimiters,
  ) {}

  @Post('challenge')
  @HttpCode(200)
  async challenge(
    @Body({ schema: ChallengeBody }) body: z.output<typeof ChallengeBody>,
    @Req() request: { raw: IncomingMessage },
    @Res({ passthrough: true }) reply: HeaderSink,
  ): Promise<z.output<typeof ChallengeAnswer>> {
    await this.limiters.login(request.raw, reply);
    return this.logins.challenge(body.device);
  }

  @Post('token')
  @HttpCode(200)
  async token(
    @Body({ schema: TokenBody }) body: z.output<typeof TokenBody>,
    @Req() request: { raw: IncomingMessage },
    @Res({ passthrough: true }) reply: HeaderSink,
  ): Promise<z.output<typeof TokenAnswer>> {
    await this.limiters.login(request.raw, reply);
    const answer = await this.logins.token(body);
    await this.limiters.loggedIn(body.device);
    return answer;
  }

  @Post('app-password')
  @HttpCode(200)
  async appPassword(
    @Body({ schema: AppPasswordLoginBody }) body: z.output<typeof AppPasswordLoginBody>,
    @Req() request: { raw: IncomingMessage },
    @Res({ passthrough: true }) reply: HeaderSink,
  ): Promise<z.output<typeof TokenAnswer>> {
    await this.limiters.login(request.raw, reply);
    if (!this.byAppPassword) throw new Problem('unauthorized');
    const answer = await this.byAppPassword.token(body, this.limiters.keyOf(request.raw));
    await this.limiters.loggedIn(body.device);
    return answer;
  }
}
