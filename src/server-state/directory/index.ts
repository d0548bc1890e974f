/** The door of who needs the directory of a state alone: opened, seeded, and whose configuration it holds. */
export {
  openBackup,
  openDirectory,
  placeIn,
  seedDirectory,
  seedPlaceholders,
  shortHostName,
} from './directory-access.ts';
