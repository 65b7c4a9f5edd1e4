import type { Changes } from './description.js';
import { announcement } from './nouns/announcement.js';
import { operationsOf } from './operations.js';

export type AnnouncementChanges = Changes<typeof announcement>;

export const announcements = operationsOf(announcement);
