"""The whole round with Python's ldap3 and ldap (python-ldap). Ends with status 1 and a trace on the first thing that is not right."""
import ssl
import sys
import ldap
import ldap.sasl
import ldap.modlist
import ldap.schema
from ldap.controls import SimplePagedResultsControl
from ldap.controls.readentry import PostReadControl
from ldap.controls.sss import SSSRequestControl
import ldap3
from ldap3.utils.conv import escape_bytes

port, root, admin, password = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
# How TLS begins: 'none', 'starttls' or 'ldaps'; then the authority to trust, and an ldapi URL.
mode = sys.argv[5] if len(sys.argv) > 5 else 'none'
ca, local = (sys.argv[6], sys.argv[7]) if len(sys.argv) > 7 else (None, None)
people = 'ou=People,' + root
octets = bytes([0xff, 0, 0x2a, 0x5c, 0x28, 0x29, 0x80])


def with_ldap3():
    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=ca) if ca else None
    host = '127.0.0.1' if mode == 'none' else 'localhost'
    server = ldap3.Server(host, port=port, use_ssl=mode == 'ldaps', tls=tls, get_info=ldap3.ALL)
    how = ldap3.AUTO_BIND_TLS_BEFORE_BIND if mode == 'starttls' else ldap3.AUTO_BIND_NO_TLS
    c = ldap3.Connection(server, admin, password, auto_bind=how, raise_exceptions=True)
    assert root in server.info.naming_contexts, server.info
    assert server.schema.attribute_types['proxyAddresses'].oid[0]
    assert server.schema.object_classes['msExchSmtpReceiveConnector'] is not None
    assert c.extend.standard.who_am_i() == 'dn:' + admin
    dn = 'cn=Three,' + people
    c.add(dn, 'edgeRecipient', {'mail': 'three@example.com', 'edgeHashedAddress': octets})
    assert c.compare(dn, 'mail', 'THREE@example.com')
    assert not c.compare(dn, 'mail', 'other@example.com')
    assert c.search(people, '(edgeHashedAddress=%s)' % escape_bytes(octets), attributes=['*', '+'])
    entry = c.entries[0]
    assert entry.edgeHashedAddress.raw_values == [octets], entry
    assert entry.entryUUID.value and entry.createTimestamp.value.year > 2000
    c.modify(dn, {'mail': [(ldap3.MODIFY_REPLACE, ['a@example.com'])], 'proxyAddresses': [(ldap3.MODIFY_ADD, ['smtp:a@x', 'smtp:b@x'])]})
    c.modify_dn(dn, 'cn=Drei', new_superior=root)
    dn = 'cn=Drei,' + root
    c.search(dn, '(objectClass=*)', ldap3.BASE, attributes=['mail', 'proxyAddresses'])
    assert c.entries[0].mail.value == 'a@example.com' and len(c.entries[0].proxyAddresses.values) == 2
    found = list(c.extend.standard.paged_search(root, '(objectClass=*)', paged_size=2, generator=True, attributes=['cn']))
    assert len(found) >= 8, len(found)
    c.delete(dn)
    try:
        c.search(dn, '(objectClass=*)', ldap3.BASE)
        raise AssertionError('found what was deleted')
    except ldap3.core.exceptions.LDAPNoSuchObjectResult as e:
        assert e.dn == root, e.dn
    new = c.extend.standard.modify_password('cn=user,' + root)
    ldap3.Connection(server, 'cn=user,' + root, new, auto_bind=how).unbind()
    browse(c, server)
    c.unbind()


def browse(c, server):
    # As a graphical browser does: every class and attribute resolved, then level by level in sorted pages.
    for c_ in server.schema.object_classes.values():
        for name in (c_.must_contain or []) + (c_.may_contain or []):
            assert name in server.schema.attribute_types, (c_.name, name)
    todo, seen = list(server.info.naming_contexts), 0
    while todo:
        base, cookie = todo.pop(), None
        while cookie is None or cookie:
            c.search(base, '(objectClass=*)', ldap3.LEVEL, attributes=['*', 'hasSubordinates', 'subschemaSubentry'],
                     paged_size=2, paged_cookie=cookie or None, controls=[('1.2.840.113556.1.4.473', False, SORT_BY_CN)])
            cookie = c.result['controls']['1.2.840.113556.1.4.319']['value']['cookie']
            for entry in c.entries:
                seen += 1
                assert entry.subschemaSubentry.value == 'cn=schema'
                if entry.hasSubordinates.value:
                    todo.append(entry.entry_dn)
    assert seen >= 6, seen


# SEQUENCE OF SEQUENCE { attributeType "cn" }, RFC 2891.
SORT_BY_CN = bytes([0x30, 6, 0x30, 4, 4, 2]) + b'cn'


def over_the_local_socket():
    c = ldap.initialize(local)
    c.sasl_external_bind_s()
    assert c.whoami_s() == 'dn:CN=Local Administrator', c.whoami_s()
    c.unbind_s()


def with_python_ldap():
    c = ldap.initialize('%s://%s:%d' % ('ldaps' if mode == 'ldaps' else 'ldap', '127.0.0.1', port))
    c.set_option(ldap.OPT_NETWORK_TIMEOUT, 5)
    c.timeout = 10
    if ca:
        c.set_option(ldap.OPT_X_TLS_CACERTFILE, ca)
        c.set_option(ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_DEMAND)
        c.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
    if mode == 'starttls':
        c.start_tls_s()
    c.simple_bind_s(admin, password)
    assert c.whoami_s() == 'dn:' + admin
    dn = 'cn=Two,' + people
    c.add_s(dn, ldap.modlist.addModlist({'objectClass': [b'edgeRecipient'], 'edgeHashedAddress': [octets], 'mail': [b'two@example.com']}))
    ((name, values),) = c.search_s(people, ldap.SCOPE_ONELEVEL, '(mail=two@*)', ['edgeHashedAddress', 'entryUUID'])
    assert name == dn and values['edgeHashedAddress'] == [octets] and len(values['entryUUID'][0]) == 36
    post = PostReadControl(criticality=True, attrList=['mail'])
    msgid = c.modify_ext(dn, [(ldap.MOD_REPLACE, 'mail', [b'changed@example.com'])], serverctrls=[post])
    _, _, _, controls = c.result3(msgid)
    assert controls[0].entry['mail'] == [b'changed@example.com'], controls[0].entry
    assert c.compare_s(dn, 'mail', b'CHANGED@example.com') is True
    cookie, names = '', []
    while True:
        page = SimplePagedResultsControl(True, size=2, cookie=cookie)
        sort = SSSRequestControl(criticality=True, ordering_rules=['-cn'])
        msgid = c.search_ext(people, ldap.SCOPE_ONELEVEL, attrlist=['cn'], serverctrls=[page, sort])
        _, data, _, controls = c.result3(msgid)
        names += [values['cn'][0].decode() for _, values in data]
        cookie = [x for x in controls if x.controlType == SimplePagedResultsControl.controlType][0].cookie
        if not cookie:
            break
    assert names == sorted(names, key=str.lower, reverse=True) and len(names) == 4, names
    c.rename_s(dn, 'cn=Zwei', newsuperior=root, delold=1)
    msgid = c.search(root, ldap.SCOPE_SUBTREE)
    c.abandon(msgid)
    msgid = c.search(root, ldap.SCOPE_SUBTREE)
    try:
        c.cancel_s(msgid)
    except (ldap.NO_SUCH_OPERATION, ldap.TOO_LATE):
        pass
    c.delete_s('cn=Zwei,' + root)
    try:
        c.add_s('cn=x,' + root, [('objectClass', [b'person'])])
        raise AssertionError('added a person without a surname')
    except ldap.OBJECT_CLASS_VIOLATION:
        pass
    subschema = c.search_subschemasubentry_s(root)
    assert subschema == 'cn=schema', subschema
    parsed = ldap.schema.SubSchema(c.read_subschemasubentry_s(subschema), check_uniqueness=1)
    assert parsed.get_obj(ldap.schema.ObjectClass, 'msExchSmtpReceiveConnector') is not None
    must, may = parsed.attribute_types(['person'])
    assert 'sn' in [a.names[0] for a in must.values()]
    c.unbind_s()


with_ldap3()
with_python_ldap()
if local:
    over_the_local_socket()
