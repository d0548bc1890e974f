/**
 * The server that a state directory holds: its directory opened and seeded (`directory/`), its version (`upgrade/`), its configuration in force, where its
 * logs lie, and which of its queues are held. The services and the commands on a stopped state read it in the same way.
 */
export { FolderTrial } from './folder-trial.ts';
export { holdSnapshots } from './hold-snapshots.ts';
export { decisionFolder, journalSettings, trackingFolder } from './journal-settings.ts';
export { QueueHolds } from './queue-holds.ts';
