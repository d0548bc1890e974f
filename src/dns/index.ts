/**
 * Questions to a validating resolver, with what Node's own resolver hides: whether the answer is DNSSEC-secure (the AD
 * bit, RFC 4035 §3.2.3, RFC 6840 §5.7), TLSA and CAA records, and times to live. It validates nothing itself: AD is worth
 * what the way to the resolver is worth, so only a resolver on loopback or one declared trusted is believed.
 */

export { CachedDns, type DnsAsker } from './cached-dns.ts';
export {
  type DnsAnswer,
  DnsClient,
  DnsFailure,
  type DnsType,
} from './dns-client.ts';
export { fixedLookup } from './fixed-lookup.ts';
export { isTrustedResolver, systemResolvers } from './resolver-address.ts';
export { strangerAddresses } from './stranger-addresses.ts';
export {
  type AddressFault,
  kindOf,
  reachedAddress,
  TargetCheck,
  type TargetRules,
} from './target-address.ts';
export { txtTexts } from './txt-texts.ts';
