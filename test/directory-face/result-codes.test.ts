/** For each operation the failures that RFC 4511 names, with the matched DN where it is due. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { element, enumerated, integer, octets, sequence } from '../../src/directory/face/ber/ber-writer.ts';
import { controlOids } from '../../src/directory/face/ber/controls.ts';
import type { RawControl } from '../../src/directory/face/ber/request.ts';
import { type ResultCodeName, resultCodeName, resultCodes } from '../../src/ldap/index.ts';
import { adminDn, type Face, password, root, startFace, userDn } from './face.ts';
import {
  addOp,
  bindOp,
  compareOp,
  deleteOp,
  equality,
  extendedOp,
  modifyDnOp,
  modifyOp,
  present,
  RawClient,
  saslBindOp,
  searchOp,
} from './raw-client.ts';

interface Row {
  readonly name: string;
  readonly operation: Buffer;
  readonly expect: ResultCodeName;
  readonly matchedDn?: string;
  readonly controls?: readonly RawControl[];
  /** Default: administrator. */
  readonly as?: 'anonymous' | 'user';
}

const people = `ou=People,${root}`;
const ann = `cn=Ann,${people}`;
const person = { objectClass: ['top', 'person'], sn: ['Smith'] };
const critical = (oid: string, value?: Buffer): RawControl[] => [{ oid, critical: true, ...(value && { value }) }];
const whoAmI = '1.3.6.1.4.1.4203.1.11.3';
const passwordModify = '1.3.6.1.4.1.4203.1.11.1';

const nested = (depth: number): Buffer => (depth === 0 ? present('cn') : element(0xa2, nested(depth - 1)));

const rows: readonly Row[] = [
  // bind
  { name: 'bind with a wrong password', operation: bindOp(adminDn, 'wrong'), expect: 'invalidCredentials' },
  { name: 'bind as nobody known', operation: bindOp(`cn=nobody,${root}`, 'x'), expect: 'invalidCredentials' },
  { name: 'bind as an entry without a password', operation: bindOp(ann, 'x'), expect: 'invalidCredentials' },
  { name: 'bind with a password and no name', operation: bindOp('', 'x'), expect: 'invalidCredentials' },
  { name: 'bind with a name and no password', operation: bindOp(adminDn, ''), expect: 'unwillingToPerform' },
  { name: 'bind with a name that is none', operation: bindOp('nonsense', 'x'), expect: 'invalidDNSyntax' },
  { name: 'bind in version 2', operation: bindOp('', '', 2), expect: 'protocolError' },
  { name: 'bind with DIGEST-MD5', operation: saslBindOp('DIGEST-MD5'), expect: 'authMethodNotSupported' },
  { name: 'bind EXTERNAL over TCP in clear', operation: saslBindOp('EXTERNAL'), expect: 'inappropriateAuthentication' },
  {
    name: 'bind by no method of RFC 4511',
    operation: element(0x60, integer(3), octets(''), octets('', 0x81)),
    expect: 'authMethodNotSupported',
  },
  {
    name: 'bind with a critical control',
    operation: bindOp(adminDn, password),
    controls: critical('1.2.3'),
    expect: 'unavailableCriticalExtension',
  },
  {
    name: 'bind with a password too long to be one',
    operation: bindOp(adminDn, 'x'.repeat(2000)),
    expect: 'constraintViolation',
  },
  // search
  {
    name: 'search below nothing',
    operation: searchOp({ base: `cn=x,cn=y,${people}` }),
    expect: 'noSuchObject',
    matchedDn: people,
  },
  {
    name: 'search in no naming context',
    operation: searchOp({ base: 'dc=elsewhere' }),
    expect: 'noSuchObject',
    matchedDn: '',
  },
  { name: 'search with a base that is no name', operation: searchOp({ base: 'foo' }), expect: 'invalidDNSyntax' },
  {
    name: 'search with too many results',
    operation: searchOp({ base: root, scope: 2, sizeLimit: 1 }),
    expect: 'sizeLimitExceeded',
  },
  {
    name: 'search for as many as there are',
    operation: searchOp({ base: people, scope: 1, sizeLimit: 3 }),
    expect: 'success',
  },
  {
    name: 'search with an unknown critical control',
    operation: searchOp({ base: root }),
    controls: critical('1.2.3'),
    expect: 'unavailableCriticalExtension',
  },
  {
    name: 'search with an unknown control',
    operation: searchOp({ base: root }),
    controls: [{ oid: '1.2.3', critical: false }],
    expect: 'success',
  },
  {
    name: 'search with a control of another operation',
    operation: searchOp({ base: root }),
    controls: critical(controlOids.treeDelete),
    expect: 'unavailableCriticalExtension',
  },
  {
    name: 'search with a malformed page',
    operation: searchOp({ base: root }),
    controls: critical(controlOids.paged, Buffer.from('x')),
    expect: 'protocolError',
  },
  {
    name: 'search with a cookie of nobody',
    operation: searchOp({ base: root }),
    controls: critical(controlOids.paged, sequence(Buffer.from([2, 1, 5]), octets('12345678'))),
    expect: 'unwillingToPerform',
  },
  {
    name: 'search in a filter by an unknown attribute',
    operation: searchOp({ base: root, filter: equality('unheardOf', 'x') }),
    expect: 'success',
  },
  {
    name: 'search by in-chain',
    operation: searchOp({
      base: root,
      scope: 2,
      filter: element(0xa9, octets('1.2.840.113556.1.4.1941', 0x81), octets('member', 0x82), octets('cn=x', 0x83)),
    }),
    expect: 'inappropriateMatching',
  },
  {
    name: 'search without a bind',
    operation: searchOp({ base: root }),
    as: 'anonymous',
    expect: 'insufficientAccessRights',
  },
  {
    name: 'search of the root DSE without a bind',
    operation: searchOp({ base: '' }),
    as: 'anonymous',
    expect: 'success',
  },
  {
    name: 'search without rights discloses nothing',
    operation: searchOp({ base: ann }),
    as: 'user',
    expect: 'noSuchObject',
    matchedDn: '',
  },
  {
    name: 'search under an assertion that fails',
    operation: searchOp({ base: root }),
    controls: critical(controlOids.assertion, equality('o', 'other')),
    expect: 'assertionFailed',
  },
  {
    name: 'search with a filter nested too deeply',
    operation: searchOp({ base: root, filter: nested(200) }),
    expect: 'adminLimitExceeded',
  },
  { name: 'search in an unknown scope', operation: searchOp({ base: root, scope: 9 }), expect: 'protocolError' },
  {
    name: 'search sorted by what is unknown',
    operation: searchOp({ base: root }),
    controls: critical(controlOids.sortRequest, sequence(sequence(octets('unheardOf')))),
    expect: 'unavailableCriticalExtension',
  },
  {
    name: 'search for changes of everything',
    operation: searchOp({ base: '', scope: 2 }),
    as: 'user',
    controls: critical(controlOids.syncRequest, sequence(enumerated(1))),
    expect: 'insufficientAccessRights',
  },
  // compare
  { name: 'compare true', operation: compareOp(ann, 'sn', ' ARCHER '), expect: 'compareTrue' },
  {
    name: 'compare the root DSE without a bind',
    operation: compareOp('', 'objectClass', 'top'),
    as: 'anonymous',
    expect: 'compareTrue',
  },
  {
    name: 'compare the schema',
    operation: compareOp('cn=schema', 'objectClasses', '2.5.6.6'),
    as: 'user',
    expect: 'compareTrue',
  },
  { name: 'compare false', operation: compareOp(ann, '2.5.4.4', 'Baker'), expect: 'compareFalse' },
  {
    name: 'compare nothing',
    operation: compareOp(`cn=x,${people}`, 'sn', 'x'),
    expect: 'noSuchObject',
    matchedDn: people,
  },
  { name: 'compare an absent attribute', operation: compareOp(ann, 'telephoneNumber', '1'), expect: 'noSuchAttribute' },
  {
    name: 'compare an unknown attribute',
    operation: compareOp(ann, 'unheardOf', '1'),
    expect: 'undefinedAttributeType',
  },
  {
    name: 'compare with a value of another syntax',
    operation: compareOp(ann, 'uSNChanged', 'many'),
    expect: 'invalidAttributeSyntax',
  },
  {
    name: 'compare what has no equality rule',
    operation: compareOp(ann, 'jpegPhoto', 'x'),
    expect: 'inappropriateMatching',
  },
  { name: 'compare with what is no name', operation: compareOp('foo', 'sn', 'x'), expect: 'invalidDNSyntax' },
  {
    name: 'compare without rights discloses nothing',
    operation: compareOp(ann, 'sn', 'x'),
    as: 'user',
    expect: 'noSuchObject',
    matchedDn: '',
  },
  {
    name: 'compare with an unknown critical control',
    operation: compareOp(ann, 'sn', 'x'),
    controls: critical('1.2.3'),
    expect: 'unavailableCriticalExtension',
  },
  {
    name: 'compare under an assertion that fails',
    operation: compareOp(ann, 'sn', 'x'),
    controls: critical(controlOids.assertion, equality('sn', 'x')),
    expect: 'assertionFailed',
  },
  {
    name: 'compare without a bind',
    operation: compareOp(ann, 'sn', 'x'),
    as: 'anonymous',
    expect: 'insufficientAccessRights',
  },
  // add
  { name: 'add', operation: addOp(`cn=New,${people}`, person), expect: 'success' },
  {
    name: 'add what is there, in other letters',
    operation: addOp(`CN=ann, OU=people,${root}`, person),
    expect: 'entryAlreadyExists',
  },
  { name: 'add the root DSE', operation: addOp('', person), expect: 'entryAlreadyExists' },
  {
    name: 'add below nothing',
    operation: addOp(`cn=x,cn=y,${people}`, person),
    expect: 'noSuchObject',
    matchedDn: people,
  },
  {
    name: 'add an unknown attribute',
    operation: addOp(`cn=x,${people}`, { ...person, unheardOf: ['x'] }),
    expect: 'undefinedAttributeType',
  },
  {
    name: 'add without what the class asks for',
    operation: addOp(`cn=x,${people}`, { objectClass: ['top', 'person'] }),
    expect: 'objectClassViolation',
  },
  {
    name: 'add what the class does not allow',
    operation: addOp(`cn=x,${people}`, { ...person, ou: ['x'] }),
    expect: 'objectClassViolation',
  },
  {
    name: 'add two values to a single one',
    operation: addOp(`cn=x,${people}`, { objectClass: ['top', 'user'], sn: ['x'], userPrincipalName: ['a', 'b'] }),
    expect: 'constraintViolation',
  },
  {
    name: 'add a value twice',
    operation: addOp(`cn=x,${people}`, { ...person, description: ['a', 'A'] }),
    expect: 'attributeOrValueExists',
  },
  {
    name: 'add a value of another syntax',
    operation: addOp(`cn=x,${people}`, { ...person, seeAlso: ['not a name'] }),
    expect: 'invalidAttributeSyntax',
  },
  {
    name: 'add an attribute without values',
    operation: addOp(`cn=x,${people}`, { ...person, description: [] }),
    expect: 'protocolError',
  },
  {
    name: 'add what the server keeps',
    operation: addOp(`cn=x,${people}`, { ...person, uSNChanged: ['7'] }),
    expect: 'constraintViolation',
  },
  {
    name: 'add with another RDN',
    operation: addOp(`sn=Jones,${people}`, { ...person, cn: ['x'], sn: ['Jones'] }),
    expect: 'success',
  },
  {
    name: 'add an alias',
    operation: addOp(`cn=x,${people}`, { objectClass: ['alias'], aliasedObjectName: [ann] }),
    expect: 'unwillingToPerform',
  },
  { name: 'add what is no name', operation: addOp('foo', person), expect: 'invalidDNSyntax' },
  {
    name: 'add in no naming context',
    operation: addOp('o=elsewhere', { objectClass: ['organization'] }),
    expect: 'noSuchObject',
    matchedDn: '',
  },
  {
    name: 'add with an unknown attribute in the name',
    operation: addOp(`unheardOf=x,${people}`, person),
    expect: 'undefinedAttributeType',
  },
  {
    name: 'add named by what the server keeps',
    operation: addOp(`uSNChanged=many,${people}`, person),
    expect: 'namingViolation',
  },
  {
    name: 'add named by its class',
    operation: addOp(`objectClass=person,${people}`, person),
    expect: 'namingViolation',
  },
  { name: 'add without a class', operation: addOp(`cn=x,${people}`, { sn: ['x'] }), expect: 'objectClassViolation' },
  {
    name: 'add of an unknown class',
    operation: addOp(`cn=x,${people}`, { objectClass: ['unheardOf'], sn: ['x'] }),
    expect: 'invalidAttributeSyntax',
  },
  {
    name: 'add of an abstract class alone',
    operation: addOp(`cn=x,${people}`, { objectClass: ['top'] }),
    expect: 'objectClassViolation',
  },
  {
    name: 'add of two structural classes',
    operation: addOp(`cn=x,${people}`, { objectClass: ['person', 'organization'], sn: ['x'], o: ['x'] }),
    expect: 'objectClassViolation',
  },
  {
    name: 'add with a name too long to be kept',
    operation: addOp(`cn=${'x'.repeat(2000)},${people}`, person),
    expect: 'adminLimitExceeded',
  },
  {
    name: 'add with an access rule that is none',
    operation: addOp(`cn=x,${people}`, {
      ...person,
      objectClass: ['person', 'edgeAccessControl'],
      edgeAccessRule: ['x'],
    }),
    expect: 'invalidAttributeSyntax',
  },
  {
    name: 'add with an unknown critical control',
    operation: addOp(`cn=x,${people}`, person),
    controls: critical('1.2.3'),
    expect: 'unavailableCriticalExtension',
  },
  {
    name: 'add with a control of another operation',
    operation: addOp(`cn=x,${people}`, person),
    controls: critical(controlOids.preRead, sequence()),
    expect: 'unavailableCriticalExtension',
  },
  {
    name: 'add without a bind',
    operation: addOp(`cn=x,${people}`, person),
    as: 'anonymous',
    expect: 'insufficientAccessRights',
  },
  {
    name: 'add without rights',
    operation: addOp(`cn=x,${people}`, person),
    as: 'user',
    expect: 'noSuchObject',
  },
  // modify
  { name: 'modify', operation: modifyOp(ann, [2, 'description', ['text']]), expect: 'success' },
  {
    name: 'modify nothing',
    operation: modifyOp(`cn=x,${people}`, [2, 'sn', ['x']]),
    expect: 'noSuchObject',
    matchedDn: people,
  },
  { name: 'modify: delete an absent value', operation: modifyOp(ann, [1, 'sn', ['Baker']]), expect: 'noSuchAttribute' },
  {
    name: 'modify: add a value that is there',
    operation: modifyOp(ann, [0, 'sn', ['archer']]),
    expect: 'attributeOrValueExists',
  },
  {
    name: 'modify: delete what the class asks for',
    operation: modifyOp(ann, [1, 'sn', []]),
    expect: 'objectClassViolation',
  },
  {
    name: 'modify: delete the value in the name',
    operation: modifyOp(ann, [1, 'cn', ['Ann']]),
    expect: 'notAllowedOnRDN',
  },
  {
    name: 'modify: another structural class',
    operation: modifyOp(ann, [2, 'objectClass', ['top', 'contact']]),
    expect: 'objectClassModsProhibited',
  },
  {
    name: 'modify: what the server keeps',
    operation: modifyOp(ann, [2, 'createTimestamp', ['20200101000000Z']]),
    expect: 'constraintViolation',
  },
  { name: 'modify: an unknown kind', operation: modifyOp(ann, [9, 'sn', ['x']]), expect: 'protocolError' },
  { name: 'modify: increment text', operation: modifyOp(ann, [3, 'sn', ['1']]), expect: 'constraintViolation' },
  {
    name: 'modify under an assertion that fails',
    operation: modifyOp(ann, [2, 'sn', ['x']]),
    controls: critical(controlOids.assertion, equality('sn', 'x')),
    expect: 'assertionFailed',
  },
  { name: 'modify what is no name', operation: modifyOp('foo', [2, 'sn', ['x']]), expect: 'invalidDNSyntax' },
  { name: 'modify the root DSE', operation: modifyOp('', [2, 'description', ['x']]), expect: 'noSuchObject' },
  {
    name: 'modify: an unknown attribute',
    operation: modifyOp(ann, [0, 'unheardOf', ['x']]),
    expect: 'undefinedAttributeType',
  },
  {
    name: 'modify: an attribute the class does not allow',
    operation: modifyOp(ann, [0, 'ou', ['x']], [0, 'dc', ['x']]),
    expect: 'objectClassViolation',
  },
  {
    name: 'modify: a value of another syntax',
    operation: modifyOp(ann, [2, 'seeAlso', ['not a name']]),
    expect: 'invalidAttributeSyntax',
  },
  {
    name: 'modify: two values of a single one',
    operation: modifyOp(ann, [2, 'userPrincipalName', ['a', 'b']]),
    expect: 'constraintViolation',
  },
  {
    name: 'modify: a value twice',
    operation: modifyOp(ann, [2, 'description', ['a', ' A ']]),
    expect: 'attributeOrValueExists',
  },
  {
    name: 'modify: delete an absent attribute',
    operation: modifyOp(ann, [1, 'description', []]),
    expect: 'noSuchAttribute',
  },
  { name: 'modify: add nothing', operation: modifyOp(ann, [0, 'description', []]), expect: 'protocolError' },
  {
    name: 'modify: increment an absent attribute',
    operation: modifyOp(ann, [3, 'userAccountControl', ['1']]),
    expect: 'noSuchAttribute',
  },
  {
    name: 'modify: increment by two numbers',
    operation: modifyOp(ann, [2, 'userAccountControl', ['1']], [3, 'userAccountControl', ['1', '2']]),
    expect: 'protocolError',
  },
  {
    name: 'modify: replace the value in the name',
    operation: modifyOp(ann, [2, 'cn', ['Other']]),
    expect: 'notAllowedOnRDN',
  },
  {
    name: 'modify: take the class away',
    operation: modifyOp(ann, [1, 'objectClass', []]),
    expect: 'objectClassViolation',
  },
  { name: 'modify to an alias', operation: modifyOp(ann, [0, 'objectClass', ['alias']]), expect: 'unwillingToPerform' },
  {
    name: 'modify with an unknown critical control',
    operation: modifyOp(ann, [2, 'sn', ['x']]),
    controls: critical('1.2.3'),
    expect: 'unavailableCriticalExtension',
  },
  { name: 'modify the subschema', operation: modifyOp('cn=schema', [2, 'cn', ['x']]), expect: 'unwillingToPerform' },
  { name: 'modify without rights', operation: modifyOp(ann, [2, 'sn', ['x']]), as: 'user', expect: 'noSuchObject' },
  {
    name: 'modify without a bind',
    operation: modifyOp(ann, [2, 'sn', ['x']]),
    as: 'anonymous',
    expect: 'insufficientAccessRights',
  },
  // modify DN
  { name: 'rename', operation: modifyDnOp(ann, 'cn=Anna'), expect: 'success' },
  {
    name: 'rename nothing',
    operation: modifyDnOp(`cn=x,${people}`, 'cn=y'),
    expect: 'noSuchObject',
    matchedDn: people,
  },
  { name: 'rename to what is there', operation: modifyDnOp(ann, 'cn=BOB'), expect: 'entryAlreadyExists' },
  { name: 'rename to no RDN', operation: modifyDnOp(ann, 'Anna'), expect: 'invalidDNSyntax' },
  {
    name: 'move below nothing',
    operation: modifyDnOp(ann, 'cn=Ann', true, `ou=Nowhere,${root}`),
    expect: 'noSuchObject',
    matchedDn: root,
  },
  { name: 'move below itself', operation: modifyDnOp(people, 'ou=People', true, ann), expect: 'unwillingToPerform' },
  { name: 'rename what is no name', operation: modifyDnOp('foo', 'cn=x'), expect: 'invalidDNSyntax' },
  { name: 'move below what is no name', operation: modifyDnOp(ann, 'cn=Ann', true, 'foo'), expect: 'invalidDNSyntax' },
  { name: 'rename to two RDNs', operation: modifyDnOp(ann, 'cn=Anna,cn=x'), expect: 'invalidDNSyntax' },
  {
    name: 'rename to an unknown attribute',
    operation: modifyDnOp(ann, 'unheardOf=x'),
    expect: 'undefinedAttributeType',
  },
  {
    name: 'rename to what the class does not allow',
    operation: modifyDnOp(ann, 'dc=x'),
    expect: 'objectClassViolation',
  },
  { name: 'rename to a password', operation: modifyDnOp(userDn, 'userPassword=x'), expect: 'namingViolation' },
  {
    name: 'rename and lose what the class asks for',
    operation: modifyDnOp(people, 'description=x'),
    expect: 'objectClassViolation',
  },
  { name: 'rename a naming context', operation: modifyDnOp(root, 'o=Other'), expect: 'unwillingToPerform' },
  { name: 'rename the root DSE', operation: modifyDnOp('', 'o=Other'), expect: 'noSuchObject' },
  { name: 'rename without rights', operation: modifyDnOp(ann, 'cn=Anna'), as: 'user', expect: 'noSuchObject' },
  {
    name: 'rename under an assertion that fails',
    operation: modifyDnOp(ann, 'cn=Anna'),
    controls: critical(controlOids.assertion, equality('sn', 'x')),
    expect: 'assertionFailed',
  },
  {
    name: 'rename without a bind',
    operation: modifyDnOp(ann, 'cn=Anna'),
    as: 'anonymous',
    expect: 'insufficientAccessRights',
  },
  // delete
  { name: 'delete', operation: deleteOp(ann), expect: 'success' },
  { name: 'delete nothing', operation: deleteOp(`cn=x,${people}`), expect: 'noSuchObject', matchedDn: people },
  { name: 'delete what has children', operation: deleteOp(people), expect: 'notAllowedOnNonLeaf' },
  { name: 'delete a tree', operation: deleteOp(people), controls: critical(controlOids.treeDelete), expect: 'success' },
  { name: 'delete what is no name', operation: deleteOp('<GUID=1>'), expect: 'invalidDNSyntax' },
  { name: 'delete the root DSE', operation: deleteOp(''), expect: 'noSuchObject' },
  { name: 'delete without rights', operation: deleteOp(ann), as: 'user', expect: 'noSuchObject' },
  {
    name: 'delete under an assertion that fails',
    operation: deleteOp(ann),
    controls: critical(controlOids.assertion, equality('sn', 'x')),
    expect: 'assertionFailed',
  },
  {
    name: 'delete with an unknown critical control',
    operation: deleteOp(ann),
    controls: critical('1.2.3'),
    expect: 'unavailableCriticalExtension',
  },
  { name: 'delete without a bind', operation: deleteOp(ann), as: 'anonymous', expect: 'insufficientAccessRights' },
  // extended
  { name: 'who am I', operation: extendedOp(whoAmI), expect: 'success' },
  { name: 'who am I with a value', operation: extendedOp(whoAmI, Buffer.from('x')), expect: 'protocolError' },
  {
    name: 'change no password',
    operation: extendedOp(passwordModify, sequence(octets(`cn=x,${root}`, 0x80))),
    expect: 'noSuchObject',
    matchedDn: root,
  },
  {
    name: 'change a password without the old one',
    operation: extendedOp(passwordModify, sequence(octets('new', 0x82))),
    as: 'user',
    expect: 'unwillingToPerform',
  },
  {
    name: 'change a password without a bind',
    operation: extendedOp(passwordModify),
    as: 'anonymous',
    expect: 'insufficientAccessRights',
  },
  {
    name: 'cancel what is not there',
    operation: extendedOp('1.3.6.1.1.8', sequence(Buffer.from([2, 1, 99]))),
    expect: 'noSuchOperation',
  },
  { name: 'an unknown extended operation', operation: extendedOp('1.2.3'), expect: 'protocolError' },
  {
    name: 'StartTLS where there is no certificate',
    operation: extendedOp('1.3.6.1.4.1.1466.20037'),
    expect: 'protocolError',
  },
  {
    name: 'cancel a cancel',
    operation: extendedOp('1.3.6.1.1.8', sequence(Buffer.from([2, 1, 2]))),
    expect: 'cannotCancel',
  },
  {
    name: 'change the password of what is no name',
    operation: extendedOp(passwordModify, sequence(octets('foo', 0x80))),
    expect: 'invalidDNSyntax',
  },
  {
    name: 'change the password of another without rights',
    operation: extendedOp(passwordModify, sequence(octets(adminDn, 0x80), octets('x', 0x82))),
    as: 'user',
    expect: 'noSuchObject',
  },
];

/** What is refused changes nothing, so that all refusals can have one directory. */
let shared: Face;
before(async () => {
  shared = await startFace();
});
after(() => shared[Symbol.asyncDispose]());

async function ask(face: Face, row: Row): Promise<void> {
  using client = await RawClient.connect(face.port);
  if (row.as !== 'anonymous') {
    const bound = await client.ask(bindOp(row.as === 'user' ? userDn : adminDn, password));
    assert.equal(bound.code, 0);
  }
  const usn = face.store.usn;
  const answer = await client.ask(row.operation, row.controls);
  assert.equal(resultCodeName(answer.code ?? -1), row.expect, answer.message);
  assert.equal(answer.matchedDn, row.matchedDn ?? '');
  if (row.expect !== 'success') assert.equal(face.store.usn, usn, 'something was written');
}

for (const row of rows) {
  test(row.name, async () => {
    if (row.expect !== 'success') return ask(shared, row);
    await using own = await startFace();
    return await ask(own, row);
  });
}

/** Codes that no row above can bring about: where they are shown, or why they do not arise. */
const elsewhere: Partial<Record<ResultCodeName, string>> = {
  operationsError: 'tls.test.ts: StartTLS over TLS, or with something behind it',
  timeLimitExceeded: 'search.test.ts: a search without time left',
  strongerAuthRequired: 'accounts.test.ts: the notice to an account that may not act any more',
  confidentialityRequired: 'tls.test.ts: a password in clear from another machine',
  busy: 'hostile.test.ts: too many connections; accounts.test.ts: too many binds',
  unavailable: 'hostile.test.ts: the notice after silence, and when the server stops',
  canceled: 'search.test.ts: a canceled search',
  tooLate: 'search.test.ts: a write that is under way',
  referral: 'no entry is a referral and no other server is known',
  affectsMultipleDSAs: 'there is one server',
  loopDetect: 'nothing is followed',
  aliasProblem: 'there are no aliases: they are refused',
  aliasDereferencingProblem: 'there are no aliases: they are refused',
  saslBindInProgress: 'the mechanisms known take one step',
  other: 'a fault of the program',
};

test('every result code is in the table, or is accounted for', () => {
  const shown = new Set<string>([...rows.map(({ expect }) => expect), ...Object.keys(elsewhere)]);
  assert.deepEqual([...shown].sort(), Object.keys(resultCodes).sort());
});
