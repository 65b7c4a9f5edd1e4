import type { Changes } from '../fields/description.js';
import { announcement } from '../nouns/announcement.js';
import { operationsOf } from '../operations/operations.js';

export type AnnouncementChanges = Changes<typeof announcement>;

export const announcements = operationsOf(announcement);
