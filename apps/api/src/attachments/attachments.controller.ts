/** `/v1/attachments` */
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Res, UseGuards } from '@nestjs/common';
import type { HeaderSink } from '@sealwire/service/rate-limit';
import { type AttachmentAnswer, BeginAttachmentBody } from '@sealwire/wire/http';
import type { DeviceId } from '@sealwire/wire/ids';
import type { z } from 'zod';
import { Caller, DeviceGuard } from '../caller.ts';
import { IdempotencyKey } from '../idempotency-key.ts';
import type { ApiLimiters } from '../limiters.ts';
import { ATTACHMENTS, LIMITERS } from '../ports.ts';
import type { AttachmentService } from './attachment-service.ts';

type Answer = Promise<z.output<typeof AttachmentAnswer>>;

@Controller('v1/attachments')
@UseGuards(DeviceGuard)
export class AttachmentsController {
  constructor(
    @Inject(ATTACHMENTS) private readonly attachments: AttachmentService,
    @Inject(LIMITERS) private readonly limiters: ApiLimiters,
  ) {}

  @Post()
  async begin(
    @Caller() caller: DeviceId,
    @Body({ schema: BeginAttachmentBody }) { bytes }: z.output<typeof BeginAttachmentBody>,
    @IdempotencyKey() key: string | undefined,
    @Res({ passthrough: true }) reply: HeaderSink & { code(status: number): void },
  ): Answer {
    await this.limiters.attachment(caller, reply);
    const { answer, begun } = await this.attachments.begin(caller, bytes, key);
    reply.code(begun ? 201 : 200);
    return answer;
  }

  @Get(':id')
  show(@Caller() caller: DeviceId, @Param('id') id: string): Answer {
    return this.attachments.show(caller, id);
  }

  @Post(':id/complete')
  @HttpCode(200)
  complete(@Caller() caller: DeviceId, @Param('id') id: string): Answer {
    return this.attachments.complete(caller, id);
  }

  @Delete(':id')
  @HttpCode(204)
  async remove(@Caller() caller: DeviceId, @Param('id') id: string): Promise<void> {
    await this.attachments.remove(caller, id);
  }
}
