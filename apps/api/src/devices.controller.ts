/** `/v1/devices` */
import { Controller, Delete, Get, HttpCode, Inject, Param, UseGuards } from '@nestjs/common';
import type { DevicesAnswer } from '@sealwire/wire/http';
import type { DeviceId } from '@sealwire/wire/ids';
import type { z } from 'zod';
import { Caller, DeviceGuard, DeviceIdPipe } from './caller.ts';
import type { DeviceService } from './device-service.ts';
import { DEVICES } from './ports.ts';

@Controller('v1/devices')
@UseGuards(DeviceGuard)
export class DevicesController {
  constructor(@Inject(DEVICES) private readonly devices: DeviceService) {}

  @Get()
  async list(@Caller() caller: DeviceId): Promise<z.output<typeof DevicesAnswer>> {
    const devices = await this.devices.list(caller);
    return {
      devices: devices.map(({ id, identities, addedAt }) => ({
        id,
        curves: identities.map(({ curve }) => curve),
        addedAt,
        current: id === caller,
      })),
    };
  }

  @Delete(':id')
  @HttpCode(204)
  async remove(@Caller() caller: DeviceId, @Param('id', DeviceIdPipe) id: DeviceId): Promise<void> {
    await this.devices.remove(caller, id);
  }
}
