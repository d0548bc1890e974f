/**
 * Our own MTA-STS policy (RFC 8461): its text, the https server that gives it to strangers, and the check of DNS and
 * certificates against it. Stands beside receiving, whose hosts it names. Leaves out: policies of others, which
 * sending fetches, and the TXT record, which is the administrator's to publish.
 */
export { type OwnPolicySettings, ownPolicy, ownPolicyId, ownRecord } from './own-policy.ts';
export { checkDomain, policyDomains } from './policy-check.ts';
export { PolicyServer } from './policy-server.ts';
