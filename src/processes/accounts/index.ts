/** The door of who only needs accounts and groups of the system: their names and numbers. */
export { ownAccountName } from './own-account-name.ts';
export { accountName, groupName, listedAccount } from './privileges.ts';
