/**
 * Mutated sessions: whatever comes, the server neither throws nor hangs nor grows, and it answers the next client.
 * EDGE_FUZZ_CASES sets the number of sessions; a failure prints the seed that repeats it.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BerFault } from '../../src/directory/face/ber/ber-reader.ts';
import { boolean, element, enumerated, integer, octets, sequence } from '../../src/directory/face/ber/ber-writer.ts';
import { controlOids, decodeControls } from '../../src/directory/face/ber/controls.ts';
import { decodeEnvelope } from '../../src/directory/face/ber/decode-request.ts';
import { Framer, FramingFault } from '../../src/directory/face/ber/framer.ts';
import { defaultLimits } from '../../src/directory/face/limits.ts';
import { defaultLockout } from '../../src/directory/index.ts';
import { LdapError } from '../../src/ldap/index.ts';
import fc from '../lib/properties.ts';
import { adminDn, type Face, password, root, startFace } from './face.ts';
import {
  abandonOp,
  addOp,
  bindOp,
  compareOp,
  deleteOp,
  equality,
  extendedOp,
  message,
  modifyDnOp,
  modifyOp,
  present,
  RawClient,
  saslBindOp,
  searchOp,
  unbindOp,
} from './raw-client.ts';

const cases = Number(process.env['EDGE_FUZZ_CASES'] ?? 3000);
const people = `ou=People,${root}`;
const person = { objectClass: ['top', 'person'], sn: ['x'] };
const control = (oid: string, value?: Buffer) => ({ oid, critical: true, ...(value && { value }) });
const substrings = element(0xa4, octets('cn'), sequence(octets('a', 0x80), octets('n', 0x81), octets('n', 0x82)));
const extensible = element(
  0xa9,
  octets('2.5.13.2', 0x81),
  octets('cn', 0x82),
  octets('Ann', 0x83),
  boolean(true, 0x84),
);
const ordering = [0xa5, 0xa6, 0xa8].map((tag) => element(tag, octets('sn'), octets('Baker')));
const everyFilter = element(
  0xa0,
  element(0xa1, ...ordering, substrings, extensible),
  element(0xa2, equality('cn', 'Bob')),
  present('cn'),
);
const page = control(controlOids.paged, sequence(integer(2), octets('')));

/** What OpenLDAP's tools, python-ldap, ldap3 and ldapts sent: see record-sessions.ts. */
const recorded: readonly (readonly Buffer[])[] = readdirSync('test/directory-face/sessions').flatMap((file) =>
  readFileSync(`test/directory-face/sessions/${file}`, 'utf8')
    .trim()
    .split('\n\n')
    .map((session) => session.split('\n').map((line) => Buffer.from(line, 'hex'))),
);

/** Sessions made to hold what no tool sends; with the recorded ones, every kind of request, filter and control is in one. */
const made: readonly (readonly Buffer[])[] = [
  [
    message(1, bindOp(adminDn, password)),
    message(2, searchOp({ base: root, scope: 2, filter: everyFilter, attributes: ['*', '+', 'cn;lang-fr'] })),
  ],
  [
    message(2, addOp(`cn=Fuzz,${people}`, person)),
    message(
      3,
      modifyOp(`cn=Fuzz,${people}`, [0, 'description', ['a', 'b']], [2, 'sn', ['y']], [1, 'description', ['a']]),
    ),
    message(4, compareOp(`cn=Fuzz,${people}`, 'sn', 'y')),
    message(5, modifyDnOp(`cn=Fuzz,${people}`, 'cn=Fuzzy+sn=y', false, root)),
    message(6, deleteOp(`cn=Fuzzy+sn=y,${root}`), [control(controlOids.treeDelete)]),
    message(7, unbindOp),
  ],
  [
    message(2, searchOp({ base: people, scope: 1 }), [
      page,
      control(controlOids.sortRequest, sequence(sequence(octets('sn')))),
    ]),
    message(3, searchOp({ base: root, scope: 2 }), [
      control(controlOids.syncRequest, sequence(enumerated(3), octets('rid=001,csn=x'))),
    ]),
    message(4, searchOp({ base: root, scope: 2 }), [
      control(controlOids.persistentSearch, sequence(integer(15), boolean(false), boolean(true))),
    ]),
    message(14, searchOp({ base: root, scope: 2, attributes: ['sn'] }), [
      control(
        controlOids.dirSync,
        sequence(integer(0), integer(0), octets(Buffer.from('454453310000000000000003', 'hex'))),
      ),
    ]),
    message(15, searchOp({ base: people, scope: 1 }), [control(controlOids.notification)]),
    message(5, abandonOp(3)),
    message(6, extendedOp('1.3.6.1.1.8', sequence(integer(4)))),
  ],
  [
    message(2, modifyOp(`cn=Ann,${people}`, [2, 'sn', ['Archer']]), [
      control(controlOids.preRead, sequence(octets('*'))),
      control(controlOids.postRead, sequence(octets('sn'))),
      control(controlOids.assertion, equality('cn', 'Ann')),
    ]),
    message(3, extendedOp('1.3.6.1.4.1.4203.1.11.3')),
    message(
      4,
      extendedOp('1.3.6.1.4.1.4203.1.11.1', sequence(octets(`cn=user,${root}`, 0x80), octets(password, 0x82))),
    ),
    message(5, extendedOp('1.3.6.1.4.1.1466.20037')),
    message(6, saslBindOp('EXTERNAL', '')),
    message(7, searchOp({ base: 'cn=schema', attributes: ['+'] })),
    message(
      8,
      modifyOp('cn=schema', [
        0,
        'attributeTypes',
        [
          "( 1.3.6.1.4.1.99999.42.99.1 NAME 'fuzzed' SUP name EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15{64} SINGLE-VALUE )",
        ],
      ]),
    ),
    message(
      9,
      modifyOp(
        people,
        [0, 'objectClass', ['edgeAccessControl']],
        [2, 'edgeAccessRule', [`allow read,write on sn,mail of person below to dn cn=user,${root}`]],
      ),
    ),
  ],
];

const sessions = [...recorded, ...made];

interface Mutation {
  readonly kind: 'flip' | 'set' | 'delete' | 'insert' | 'repeat' | 'length';
  readonly at: number;
  readonly value: number;
  readonly span: number;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('flip', 'set', 'delete', 'insert', 'repeat', 'length'),
  at: fc.nat(100_000),
  value: fc.nat(255),
  span: fc.integer({ min: 1, max: 20 }),
});

function mutate(bytes: Buffer, { kind, at, value, span }: Mutation): Buffer {
  if (bytes.length === 0) return Buffer.from([value]);
  const place = at % bytes.length;
  const [before, rest] = [bytes.subarray(0, place), bytes.subarray(place)];
  switch (kind) {
    case 'flip':
      return Buffer.concat([before, Buffer.from([(rest[0] ?? 0) ^ (1 << (value % 8))]), rest.subarray(1)]);
    case 'set':
      return Buffer.concat([before, Buffer.from([value]), rest.subarray(1)]);
    case 'delete':
      return Buffer.concat([before, rest.subarray(span)]);
    case 'insert':
      return Buffer.concat([before, Buffer.alloc(span, value), rest]);
    case 'repeat':
      return Buffer.concat([before, rest.subarray(0, span), rest]);
    case 'length':
      return Buffer.concat([before, Buffer.from([0x84, value, 0xff, 0xff, 0xff]), rest.subarray(1)]);
  }
}

const fuzzed = fc
  .record({
    session: fc.nat(sessions.length - 1),
    mutations: fc.array(mutation, { minLength: 1, maxLength: 6 }),
    whole: fc.boolean(),
  })
  .map(({ session, mutations, whole }) => {
    const stream = [...(sessions[session] ?? [])];
    // Either the stream as it is, or one message in it, whose length is then put right so that what is inside is looked at.
    if (whole) return mutations.reduce(mutate, Buffer.concat(stream));
    const index = (mutations[0]?.at ?? 0) % stream.length;
    const inside = mutations.reduce(mutate, Buffer.from((stream[index] ?? Buffer.alloc(0)).subarray(2)));
    stream[index] = sequence(inside);
    return Buffer.concat(stream);
  });

/** A request behind the mutated ones: its answer tells that all of them were dealt with. */
const lastId = 0x0f423f;
const lastRequest = message(lastId, searchOp({ base: '' }));
const lastAnswer = Buffer.from('02030f423f65', 'hex');

/** Where the last whole message ends; the length of all when the server must find fault before that. */
function wholePart(bytes: Buffer): number {
  const framer = new Framer(defaultLimits.maxMessageBytes);
  framer.push(bytes);
  try {
    while (framer.next() !== undefined);
    return bytes.length - framer.buffered;
  } catch {
    return bytes.length;
  }
}

/** Sends everything, as the local administrator or as nobody; resolves when it is answered, or the server has ended the connection. */
function play(path: string, bytes: Buffer, bound: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const whole = wholePart(bytes);
    let received = Buffer.alloc(0);
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`the connection hangs after ${bytes.toString('hex')}`));
    }, 60_000);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.on('data', (data: Buffer) => {
      received = Buffer.concat([received.subarray(-lastAnswer.length), data]);
      if (received.includes(lastAnswer)) socket.end(bytes.subarray(whole));
    });
    const bind = bound ? [message(1_000_000, saslBindOp('EXTERNAL'))] : [];
    socket.write(Buffer.concat([...bind, bytes.subarray(0, whole), lastRequest]));
  });
}

async function stillWell(face: Face): Promise<void> {
  using client = await RawClient.connect(face.port);
  assert.equal((await client.ask(searchOp({ base: '' }))).code, 0);
  const fault = face.events.find(({ kind }) => kind === 'fault');
  assert.equal(fault, undefined);
  face.events.length = 0;
}

/** Nearly every mutated bind fails; locked out, the sessions would not get any further, and each failure would wait. */
const lockout = {
  ...defaultLockout,
  maxFailures: 1e9,
  maxFailuresOfSource: 1e9,
  maxFailuresOfAccount: 1e9,
  delayMs: 0,
};

/** Sessions at once: they get into each other's way as real ones do, and share the syncs to disk. */
const atOnce = 20;

test(`${cases} mutated sessions`, async () => {
  await using face = await startFace({ limits: { idleBeforeBindMs: 2000 } }, { lockout });
  const path = decodeURIComponent(face.local.slice('ldapi://'.length));
  const rounds = Math.ceil(cases / atOnce);
  let round = 0;
  let heapBefore = 0;
  const together = fc.array(fc.tuple(fuzzed, fc.boolean()), { minLength: atOnce, maxLength: atOnce });
  await fc.assert(
    fc.asyncProperty(together, async (clients) => {
      await Promise.all(clients.map(([bytes, bound]) => play(path, bytes, bound)));
      await stillWell(face);
      round += 1;
      if (round === Math.floor(rounds / 2)) heapBefore = heapNow();
    }),
    { numRuns: rounds, endOnFailure: true },
  );
  const growth = heapNow() - heapBefore;
  assert.ok(growth < 10 * 1024 ** 2, `the heap grew by ${growth} octets`);
});

function heapNow(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

test('the decoder throws nothing but what it says', () => {
  const decode = (bytes: Buffer): void => {
    const framer = new Framer(1_000_000);
    framer.push(bytes);
    for (let one = framer.next(); one !== undefined; one = framer.next()) {
      const envelope = decodeEnvelope(one, defaultLimits.filter);
      envelope.call();
      decodeControls(envelope.controls, envelope.kind, defaultLimits.filter);
    }
  };
  const anything = fc.oneof(
    fuzzed,
    fc.uint8Array({ maxLength: 200 }).map((bytes) => sequence(integer(1), Buffer.from(bytes))),
  );
  fc.assert(
    fc.property(anything, (bytes) => {
      try {
        decode(bytes);
      } catch (error) {
        assert.ok(
          error instanceof BerFault || error instanceof FramingFault || error instanceof LdapError,
          String(error),
        );
      }
    }),
    { numRuns: cases * 5 },
  );
});
