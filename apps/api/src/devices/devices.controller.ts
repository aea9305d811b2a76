/** `/v1/devices` */
import { Controller, Delete, Get, HttpCode, Inject, Param, UseGuards } from '@nestjs/common';
import { DevicesAnswer } from '@sealwire/wire/http';
import type { DeviceId } from '@sealwire/wire/ids';
import { z } from 'zod';
import { Caller, DeviceGuard, DeviceIdPipe } from '../caller.ts';
import { DEVICES } from '../ports.ts';
import type { DeviceService } from './device-service.ts';

@Controller('v1/devices')
@UseGuards(DeviceGuard)
export class DevicesController {
  constructor(@Inject(DEVICES) private readonly devices: DeviceService) {}

  @Get()
  async list(@Caller() caller: DeviceId): Promise<z.input<typeof DevicesAnswer>> {
    const devices = await this.devices.list(caller);
    return z.encode(DevicesAnswer, {
      devices: devices.map(({ id, state, identities, addedAt }) => ({
        id,
        state,
        identities: identities.map(({ suite, identityKey }) => ({ curve: suite, identityKey })),
        curves: identities.map(({ suite }) => suite),
        addedAt,
        current: id === caller,
      })),
    });
  }

  @Delete(':id')
  @HttpCode(204)
  async remove(@Caller() caller: DeviceId, @Param('id', DeviceIdPipe) id: DeviceId): Promise<void> {
    await this.devices.remove(caller, id);
  }
}
