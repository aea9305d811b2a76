import { describeSettingsDocuments } from '@sealwire/service/testing/settings-documents';
import { allSettings } from './settings.ts';

describeSettingsDocuments('all', allSettings, import.meta.url);
