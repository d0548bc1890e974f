/** Attribute names that are kept as a number. */

/**
 * The place in the list is what entries hold: names are added at the end, and none is ever taken away or moved. Spelled as the
 * schema does; a name in another spelling, or with options, is kept as text.
 */
export const shortNames: readonly string[] = [
  'objectClass',
  'structuralObjectClass',
  'creatorsName',
  'modifiersName',
  'cn',
  'sn',
  'ou',
  'o',
  'dc',
  'uid',
  'mail',
  'proxyAddresses',
  'displayName',
  'givenName',
  'description',
  'member',
  'mailNickname',
  'targetAddress',
  'legacyExchangeDN',
  'objectSid',
  'sAMAccountName',
  'userPrincipalName',
  'userPassword',
  'telephoneNumber',
  'userCertificate',
  'name',
  'adminDescription',
  'adminDisplayName',
  'objectCategory',
  'systemFlags',
  'isDeleted',
  'lastKnownParent',
  'edgeHashedAddress',
  'edgeReplicatedFrom',
  'edgeInstanceGuid',
];

/** Number of a name, by its spelling and in lower case. */
export const numberOfName: ReadonlyMap<string, number> = new Map(
  shortNames.flatMap((name, number) => [
    [name, number],
    [name.toLowerCase(), number],
  ]),
);
