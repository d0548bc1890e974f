/** Checks of the mail protocol around TLS, of DNS and of published policies. */
import { type Facts, protocolNames, protocolReason, untestedReason } from '../facts/facts.ts';
import type { Rule } from '../facts/profile.ts';
import { type Check, type Finding, missed, notApplied, pass, untested } from '../facts/verdict.ts';

/** What `MailProbe` holds of checks. */
export const mailSubjectNames: readonly string[] = [
  'starttls',
  'starttlsMasked',
  'authBeforeTls',
  'refusesParameter',
  'injectable',
  'stateReset',
  'requireTls',
  'requireTlsInClear',
];

/** What `surveyHost` finds. */
export const domainSubjectNames: readonly string[] = [
  'tlsaPresent',
  'tlsaUsable',
  'tlsaMatch',
  'tlsaRollover',
  'denial',
  'dnssec',
  'caa',
  'mtaStsRecord',
  'mtaStsPolicy',
  'mtaStsMode',
  'mtaStsMaxAge',
  'mtaStsMaxAgeDay',
  'mtaStsCover',
  'tlsRpt',
];

export const mailChecks: Readonly<Record<string, Check>> = {
  mail: (facts, rule) => mailAnswer(facts, rule.subject ?? '', rule.expect ?? '', rule),

  /** The offer is kept: some version came about. */
  handshake: (facts, rule) => {
    const answers = Object.values(facts.protocols);
    if (answers.includes('offered')) return pass('a handshake came about');
    const reason = protocolNames.map((name) => protocolReason(facts, name)).find((text) => text !== undefined);
    if (facts.mail !== undefined && facts.mail.starttls !== 'offered')
      return untested(reason ?? 'STARTTLS is not offered');
    return reason === undefined ? missed(rule, 'every hello was refused') : untested(reason);
  },

  /** What EHLO gains and loses inside TLS. */
  'ehlo-difference': ({ mail }, rule) => {
    if (mail === undefined || mail.starttls === 'not-tested(TLS begins with the first octet)')
      return notApplied('no mail protocol is spoken before TLS');
    const { ehloBefore: before, ehloAfter: after } = mail;
    if (mail.starttls !== 'offered') return untested(untestedReason(mail.starttls) ?? 'STARTTLS is not offered');
    if (after.length === 0) return untested(untestedReason(String(mail['requireTls'])) ?? 'no EHLO inside TLS');
    const gained = after.filter((line) => !before.includes(line)).map((line) => `+${line}`);
    const lost = before.filter((line) => !after.includes(line)).map((line) => `-${line}`);
    const evidence = `inside TLS: ${[...gained, ...lost].join(', ') || 'the same'}`;
    return after.some((line) => line.split(' ')[0] === 'STARTTLS') ? missed(rule, evidence) : pass(evidence);
  },

  requiretls: (facts, rule) => {
    const { requireTls, requireTlsInClear } = (facts.mail ?? {}) as Record<string, unknown>;
    if (requireTlsInClear === 'yes') return { verdict: 'fail', evidence: 'REQUIRETLS is offered in the clear' };
    if (typeof requireTls !== 'string') return notApplied('no mail protocol');
    const reason = untestedReason(requireTls);
    if (reason !== undefined) return untested(reason);
    return requireTls === 'yes' ? pass('offered inside TLS') : missed(rule, 'not offered');
  },

  /** A fact of DNS or of a published policy, found beside the endpoint. */
  domain: (facts, rule) => {
    const domain = facts.mail?.['domain'] as Readonly<Record<string, { answer: string; evidence: string }>> | undefined;
    const found = domain?.[rule.subject ?? ''];
    if (domain === undefined) return notApplied('no domain was asked for');
    if (found === undefined) throw new RangeError(`rule ${rule.id}: there is no subject '${rule.subject ?? ''}'`);
    const reason = untestedReason(found.answer);
    if (reason !== undefined) return untested(reason);
    if (found.answer === 'not-applicable') return notApplied(found.evidence);
    return found.answer === 'yes' ? pass(found.evidence) : missed(rule, found.evidence);
  },

  parity: ({ mail }, rule) => alike(mail?.['parity'], rule, 'one endpoint only'),

  /** Ports beside that of the MX host. */
  ports: ({ mail }, rule) => alike(mail?.['ports'], rule, 'no other port for mail is open, or none was looked for'),

  /** RFC 3207 §6: masked, or left out over one address family. */
  stripping: (facts, rule) => {
    const family = facts.mail?.['starttlsByFamily'];
    if (typeof family === 'string' && /^offered at/.test(family)) return missed(rule, family);
    return mailAnswer(facts, 'starttlsMasked', 'no', rule);
  },
};

function alike(value: unknown, rule: Rule, otherwise: string): Finding {
  if (typeof value !== 'string') return notApplied(otherwise);
  const reason = untestedReason(value);
  if (reason !== undefined) return untested(reason);
  return value.startsWith('unlike') ? missed(rule, value) : pass(value);
}

function mailAnswer({ mail }: Facts, subject: string, expect: string, rule: Rule): Finding {
  const value = mail?.[subject];
  if (typeof value !== 'string') return notApplied('no mail protocol is spoken before TLS');
  const reason = untestedReason(value);
  if (reason !== undefined) return reason === 'TLS begins with the first octet' ? notApplied(reason) : untested(reason);
  return value === expect ? pass(value) : missed(rule, value);
}
