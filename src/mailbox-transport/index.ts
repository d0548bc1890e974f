/**
 * Mailbox transport delivery: the last hop. Messages of authoritative domains are put into Maildir folders, one file for
 * each recipient, or handed to an LMTP server. Leaves out: reading mail, quotas, rules.
 */
export { MailboxDelivery } from './mailbox-delivery.ts';
