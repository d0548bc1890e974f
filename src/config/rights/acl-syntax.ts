/** Access control entries as a property of connectors. */

import { property, type Syntax } from '../properties/property.ts';
import { type Ace, parseAcl, writeAcl } from './access-control.ts';

/** Entries that cmdlets do not set: Add-ADPermission and Remove-ADPermission do. */
const aclSyntax: Syntax<readonly Ace[]> = {
  type: 'ActiveDirectorySecurity',
  multivalued: true,
  parse: () => {
    throw new RangeError('permissions are set with Add-ADPermission and Remove-ADPermission');
  },
  read: (values) => values.flatMap(parseAcl),
  write: (acl) => [writeAcl(acl)],
  merge: (acl, [current]) => [writeAcl(acl, current)],
  show: (acl) => acl.map((one) => `${one.principal}: ${one.right}`),
};

/** The entries of a connector itself: what counts is computed from them and from what is inherited. */
export const aclRow = property({
  attribute: 'nTSecurityDescriptor',
  syntax: aclSyntax,
  default: [],
  hidden: true,
  readOnly: true,
  help: 'Rights on the connector: see Get-ADPermission.',
});
