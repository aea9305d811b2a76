/** `/directory/keys/check` */
import { Body, Controller, Headers, HttpCode, Inject, Post } from '@nestjs/common';
import type { BearerAuthenticator } from '@sealwire/access/bearer';
import { KeysCheckBody } from '@sealwire/wire/http';
import type { z } from 'zod';
import { AUTHENTICATE, KEYS } from '../ports.ts';
import type { KeysService } from './keys-service.ts';

@Controller('directory/keys')
export class KeysController {
  constructor(
    @Inject(AUTHENTICATE) private readonly authenticate: BearerAuthenticator,
    @Inject(KEYS) private readonly keys: KeysService,
  ) {}

  @Post('check')
  @HttpCode(204)
  async check(
    @Headers('authorization') authorization: string | undefined,
    @Body({ schema: KeysCheckBody }) body: z.output<typeof KeysCheckBody>,
  ): Promise<void> {
    await this.keys.check(await this.authenticate(authorization), body);
  }
}
