/** The door of the mail path: whether an address is known. It loads no LDAP. */
export { RecipientDirectory } from './recipient-directory.ts';
export { keepRecipientKey, recipientKeyFile } from './recipient-key-file.ts';
