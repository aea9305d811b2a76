import { describeSettingsDocuments } from '@sealwire/service/testing/settings-documents';
import { apiSettings } from './settings.ts';

describeSettingsDocuments('api', apiSettings, import.meta.url);
