/** `/v1/app-passwords` */
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Res, UseGuards } from '@nestjs/common';
import type { HeaderSink } from '@sealwire/service/rate-limit';
import { type AppPasswordsAnswer, MakeAppPasswordBody, type NewAppPasswordAnswer } from '@sealwire/wire/http';
import type { DeviceId } from '@sealwire/wire/ids';
import type { z } from 'zod';
import { Caller, DeviceGuard } from '../caller.ts';
import type { ApiLimiters } from '../limiters.ts';
import { APP_PASSWORDS, LIMITERS } from '../ports.ts';
import type { AppPasswordService } from './app-password-service.ts';

@Controller('v1/app-passwords')
@UseGuards(DeviceGuard)
export class AppPasswordsController {
  constructor(
    @Inject(APP_PASSWORDS) private readonly appPasswords: AppPasswordService,
    @Inject(LIMITERS) private readonly limiters: ApiLimiters,
  ) {}

  @Post()
  async make(
    @Caller() caller: DeviceId,
    @Body({ schema: MakeAppPasswordBody }) { name }: z.output<typeof MakeAppPasswordBody>,
    @Res({ passthrough: true }) reply: HeaderSink,
  ): Promise<z.output<typeof NewAppPasswordAnswer>> {
    await this.limiters.appPassword(caller, reply);
    return this.appPasswords.make(caller, name);
  }

  @Get()
  async list(@Caller() caller: DeviceId): Promise<z.output<typeof AppPasswordsAnswer>> {
    const held = await this.appPasswords.list(caller);
    return {
      appPasswords: held.map(({ id, name, createdAt, usedAt }) => ({
        id,
        name,
        createdAt,
        ...(usedAt === undefined ? {} : { usedOn: new Date(usedAt).toISOString().slice(0, 10) }),
      })),
    };
  }

  @Delete(':id')
  @HttpCode(204)
  async revoke(@Caller() caller: DeviceId, @Param('id') id: string): Promise<void> {
    await this.appPasswords.revoke(caller, id);
  }
}
