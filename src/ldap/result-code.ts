/** Result codes of LDAP: RFC 4511 §4.1.9 and appendix A, RFC 4528 §3, RFC 3909 §2. */

export const resultCodes = {
  success: 0,
  operationsError: 1,
  protocolError: 2,
  timeLimitExceeded: 3,
  sizeLimitExceeded: 4,
  compareFalse: 5,
  compareTrue: 6,
  authMethodNotSupported: 7,
  strongerAuthRequired: 8,
  referral: 10,
  adminLimitExceeded: 11,
  unavailableCriticalExtension: 12,
  confidentialityRequired: 13,
  saslBindInProgress: 14,
  noSuchAttribute: 16,
  undefinedAttributeType: 17,
  inappropriateMatching: 18,
  constraintViolation: 19,
  attributeOrValueExists: 20,
  invalidAttributeSyntax: 21,
  noSuchObject: 32,
  aliasProblem: 33,
  invalidDNSyntax: 34,
  aliasDereferencingProblem: 36,
  inappropriateAuthentication: 48,
  invalidCredentials: 49,
  insufficientAccessRights: 50,
  busy: 51,
  unavailable: 52,
  unwillingToPerform: 53,
  loopDetect: 54,
  namingViolation: 64,
  objectClassViolation: 65,
  notAllowedOnNonLeaf: 66,
  notAllowedOnRDN: 67,
  entryAlreadyExists: 68,
  objectClassModsProhibited: 69,
  affectsMultipleDSAs: 71,
  other: 80,
  canceled: 118,
  noSuchOperation: 119,
  tooLate: 120,
  cannotCancel: 121,
  assertionFailed: 122,
} as const;

/** Name of a result code, as RFC 4511 spells it. */
export type ResultCodeName = keyof typeof resultCodes;

const names = new Map<number, string>(Object.entries(resultCodes).map(([name, code]) => [code, name]));

/** Name of a numeric result code; the number itself for one that is not in the table. */
export function resultCodeName(code: number): string {
  return names.get(code) ?? String(code);
}

/** An operation refused by the directory. The message is the diagnosticMessage and may go on the wire. */
export class LdapError extends Error {
  readonly code: ResultCodeName;
  /** Number on the wire. */
  readonly resultCode: number;
  /** Name of the nearest entry that exists; only for noSuchObject, aliasProblem and invalidDNSyntax (RFC 4511 §4.1.9). */
  readonly matchedDn: string;

  constructor(
    code: ResultCodeName,
    message: string,
    { matchedDn = '', cause }: { matchedDn?: string; cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'LdapError';
    this.code = code;
    this.resultCode = resultCodes[code];
    this.matchedDn = matchedDn;
  }
}
