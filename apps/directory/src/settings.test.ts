import { describeSettingsDocuments } from '@sealwire/service/testing/settings-documents';
import { directorySettings } from './settings.ts';

describeSettingsDocuments('directory', directorySettings, import.meta.url);
