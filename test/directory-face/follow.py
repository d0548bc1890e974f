"""Follows a directory by DirSync with Python's ldap3: for each line on stdin it reads what changed, and prints how many answers.
At 'end' it compares what it has with what a search finds, by objectGUID, and prints the number of entries."""
import sys
import ldap3

port, base, admin, password = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
names = ['sn', 'description', 'distinguishedName']
c = ldap3.Connection(ldap3.Server('127.0.0.1', port=port, get_info=ldap3.ALL), admin, password, auto_bind=True,
                     return_empty_attributes=False)
sync = c.extend.microsoft.dir_sync(base, attributes=names)
known = {}


def values(attributes):
    return {k.lower(): sorted(v if isinstance(v, list) else [v]) if v else [] for k, v in attributes.items()}


def take(entry):
    raw = values(entry['raw_attributes'])
    guid = raw['objectguid'][0]
    if raw.get('isdeleted') == [b'TRUE']:
        known.pop(guid, None)
        return
    mine = known.setdefault(guid, {})
    for name in names:
        if name.lower() in raw:
            mine[name] = raw[name.lower()]
    if 'distinguishedname' in raw:
        assert raw['distinguishedname'] == [entry['raw_dn']], entry


def read():
    answers = 0
    while True:
        for entry in sync.loop():
            answers += 1
            take(entry)
        if not sync.more_results:
            return answers


for line in sys.stdin:
    if line.strip() != 'end':
        print(read(), flush=True)
        continue
    c.search(base, '(objectClass=*)', ldap3.SUBTREE, attributes=names + ['objectGUID'])
    found = {}
    for entry in c.response:
        raw = values(entry['raw_attributes'])
        found[raw['objectguid'][0]] = {name: raw.get(name.lower(), []) for name in names}
    mine = {guid: {name: entry.get(name, []) for name in names} for guid, entry in known.items()}
    for guid in set(found) | set(mine):
        assert found.get(guid) == mine.get(guid), (guid, found.get(guid), mine.get(guid))
    print(len(found), flush=True)
