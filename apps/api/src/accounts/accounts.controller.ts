/** `/v1/accounts` and `/v1/account`. */
import type { IncomingMessage } from 'node:http';
import { Body, Controller, Delete, Get, HttpCode, Inject, Post, Req, Res, UseGuards } from '@nestjs/common';
import type { HeaderSink } from '@sealwire/service/rate-limit';
import { type AccountAnswer, CreateAccountBody } from '@sealwire/wire/http';
import type { DeviceId } from '@sealwire/wire/ids';
import type { z } from 'zod';
import { Caller, DeviceGuard } from '../caller.ts';
import type { ApiLimiters } from '../limiters.ts';
import { ACCOUNTS, LIMITERS } from '../ports.ts';
import type { AccountService } from './account-service.ts';

type Answer = z.output<typeof AccountAnswer>;

@Controller('v1')
export class AccountsController {
  constructor(
    @Inject(ACCOUNTS) private readonly accounts: AccountService,
    @Inject(LIMITERS) private readonly limiters: ApiLimiters,
  ) {}

  @Post('accounts')
  async create(
    @Body({ schema: CreateAccountBody }) body: z.output<typeof CreateAccountBody>,
    @Req() request: { raw: IncomingMessage },
    @Res({ passthrough: true }) reply: HeaderSink & { code(status: number): void },
  ): Promise<Answer> {
    await this.limiters.account(request.raw, reply);
    const { account, created } = await this.accounts.create(body);
    reply.code(created ? 201 : 200);
    return { address: account.address, createdAt: account.createdAt };
  }

  @Get('account')
  @UseGuards(DeviceGuard)
  async show(@Caller() caller: DeviceId): Promise<Answer> {
    const { address, createdAt } = await this.accounts.ofDevice(caller);
    return { address, createdAt };
  }

  @Delete('account')
  @HttpCode(204)
  @UseGuards(DeviceGuard)
  async delete(@Caller() caller: DeviceId): Promise<void> {
    await this.accounts.deleteOf(caller);
  }
}
