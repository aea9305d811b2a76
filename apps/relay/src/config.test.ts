import { describeSettingsDocuments } from '@sealwire/service/testing/settings-documents';
import { relayConfig } from './config.ts';

describeSettingsDocuments('relay', relayConfig, import.meta.url);
