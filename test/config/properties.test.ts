import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatTimeSpan } from '../../src/base/index.ts';
import {
  type AnyProperty,
  acceptedDomain,
  attributesOf,
  decode,
  defaultOf,
  defaultsOf,
  exchangeServer,
  frontEndTransportService,
  mailboxTransportService,
  receiveConnector,
  remoteDomain,
  type ServerRole,
  sendConnector,
  type TableShape,
  transportConfig,
  transportService,
} from '../../src/config/index.ts';
import { entryFrom } from '../../src/ldap/index.ts';
import { productSchema } from '../ldap/schema-of-the-product.ts';

const tables = [
  receiveConnector,
  sendConnector,
  acceptedDomain,
  remoteDomain,
  transportService,
  frontEndTransportService,
  mailboxTransportService,
  transportConfig,
  exchangeServer,
] as const;
const roles: readonly ServerRole[] = ['EdgeTransport', 'Mailbox'];
const schema = productSchema();

/** What the shell says for a number of this syntax. */
function spoken(row: AnyProperty, value: number): unknown {
  return row.syntax.type === 'EnhancedTimeSpan' ? formatTimeSpan(value) : value;
}

function throughDirectory(row: AnyProperty, value: unknown): unknown {
  if (row.bit !== undefined) return row.syntax.fromBits(row.syntax.toBits(value));
  const written = row.syntax.write(value);
  return written.length === 0 ? row.default : row.syntax.read(written);
}

const bitsOf = ({ bit }: AnyProperty): readonly number[] =>
  bit === undefined ? [] : typeof bit === 'number' ? [bit] : bit;

for (const table of tables as readonly TableShape[]) {
  describe(table.noun, () => {
    for (const [field, row] of Object.entries(table.properties)) {
      test(`${field}: default, bounds and names go to the directory and back`, () => {
        if (row.readOnly !== true) {
          for (const role of roles) assert.deepEqual(throughDirectory(row, defaultOf(row, role)), defaultOf(row, role));
        }
        assert.match(row.help, /^\S.*\.$/);
        const { min, max, allowed } = row.syntax;
        for (const bound of min === undefined || max === undefined ? [] : [min, max]) {
          const value = row.syntax.parse(spoken(row, bound));
          assert.equal(value, bound);
          assert.equal(throughDirectory(row, value), bound);
        }
        for (const beyond of min === undefined || max === undefined ? [] : [min - 1, max + 1]) {
          assert.throws(() => row.syntax.parse(spoken(row, beyond)), RangeError, `${beyond} from the shell`);
          // -1 is how the directory keeps Unlimited.
          if (row.syntax.type === 'Unlimited' && beyond === -1) continue;
          assert.throws(() => row.syntax.read([String(beyond)]), RangeError, `${beyond} from the directory`);
        }
        for (const name of row.readOnly === true ? [] : (allowed ?? [])) {
          const value = row.syntax.parse(name === '$null' ? name : name.toUpperCase());
          const back = throughDirectory(row, value);
          assert.deepEqual(back, name === '$null' || name === 'Custom' ? back : value, name);
        }
        if (allowed !== undefined)
          assert.throws(() => row.syntax.parse('nonesuch'), /is not one of|neither \$true nor/);
        if (row.syntax.type === 'Unlimited') {
          assert.equal(throughDirectory(row, row.syntax.parse('unlimited')), Infinity);
          assert.equal(String(row.syntax.show(Infinity)), 'Unlimited');
        }
      });

      test(`${field}: the schema has ${row.attribute}, fit for it`, () => {
        if (row.attribute === 'distinguishedName') return;
        const attribute = schema.attribute(row.attribute);
        assert.ok(attribute, row.attribute);
        const allowed = schema.objectClass(table.objectClass);
        const top = schema.objectClass('top');
        const may = [allowed, top].flatMap((one) => [...(one?.may ?? []), ...(one?.must ?? [])]);
        const inherited = table.objectClasses.flatMap((name) => schema.objectClass(name)?.may ?? []);
        assert.ok(
          [...may, ...inherited].some((name) => name.toLowerCase() === row.attribute.toLowerCase()),
          'class',
        );
        if (row.readOnly === true || row.attribute === 'nTSecurityDescriptor') return;
        // Smart hosts have an order, which the values of an attribute have not: they are one text.
        if (row.syntax.multivalued === true && field !== 'smartHosts')
          assert.equal(attribute.singleValue, false, 'a list needs several values');
      });
    }

    test('no two properties share a bit, and a bit field shares no attribute with a plain one', () => {
      const taken = new Map<string, string>();
      for (const [field, row] of Object.entries(table.properties)) {
        for (const bit of bitsOf(row)) {
          const key = `${row.attribute} ${bit}`;
          assert.equal(taken.get(key), undefined, `${field} and ${taken.get(key)} share ${key}`);
          taken.set(key, field);
        }
      }
    });

    test('the names of the bits fit into them', () => {
      for (const [field, row] of Object.entries(table.properties)) {
        if (row.bit === undefined) continue;
        for (const name of row.syntax.allowed ?? []) {
          assert.ok(row.syntax.toBits(row.syntax.parse(name)) < 2 ** bitsOf(row).length, `${field} ${name}`);
        }
      }
    });
  });
}

for (const role of roles) {
  for (const table of tables) {
    test(`${table.noun} with nothing but defaults comes back from the directory (${role})`, () => {
      const before = defaultsOf(table as typeof receiveConnector, role);
      const attributes = attributesOf(table as typeof receiveConnector, 'Name', before, role);
      const entry = entryFrom('CN=Name,CN=Place', Object.fromEntries(attributes));
      const after = decode(table as typeof receiveConnector, entry, role);
      for (const [field, row] of Object.entries(table.properties)) {
        if ((row as AnyProperty).readOnly === true) continue;
        assert.deepEqual(after[field as 'enabled'], before[field as 'enabled'], field);
      }
    });
  }
}
