/** The door of who only needs accounts and groups of the system: their names and numbers. */
export { accountName, groupName, listedAccount } from './privileges.ts';
