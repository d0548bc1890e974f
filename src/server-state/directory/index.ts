/** The door of who needs the directory of a state alone: opened, seeded, and whose configuration it holds. */
export {
  hasReplicationAccount,
  isReplicatedInto,
  openBackup,
  openDirectory,
  openScratch,
  placeIn,
  seedDirectory,
  seedPlaceholders,
  serverObjectIn,
  shortHostName,
} from './directory-access.ts';
