/**
 * Everything that the product takes from the inside of its libraries: members without documentation, overridden methods, behaviour
 * that is relied on and could change. Before a new version of a library: run the tests named here, read what changed at these
 * places, then write the new version down.
 */
export interface HeldInternal {
  readonly library: string;
  /** Version that was read; the installed one. */
  readonly version: string;
  readonly internal: string;
  readonly usedIn: string;
  readonly reason: string;
  /** File and title of a test that fails when the library acts otherwise. */
  readonly test: readonly [file: string, title: string];
}

export const heldInternals: readonly HeldInternal[] = [
  {
    library: 'ldapts',
    version: '9.2.0',
    internal: 'Client._send, Client._nextMessageId',
    usedIn: 'src/directory/client/directory-client.ts',
    reason: 'its own search, compare and controls lose octets, or end at the first refusal',
    test: [
      'test/directory-face/libraries.test.ts',
      'ldapts: _send resolves with the response, refusals too, and _nextMessageId never repeats',
    ],
  },
  {
    library: 'ldapjs',
    version: '3.0.7',
    internal: "Server.newConnection, socket.parser.emit('message'), routes of the empty name",
    usedIn: 'src/directory/face/ldapjs-router.ts',
    reason: 'routes decoded requests to their handlers; its own parser must never see the network',
    test: [
      'test/directory-face/libraries.test.ts',
      'ldapjs: every kind of request reaches its handler before route returns',
    ],
  },
  {
    library: 'ldapjs',
    version: '3.0.7',
    internal: "listeners that newConnection adds for 'data' and 'timeout'",
    usedIn: 'src/directory/face/ldapjs-router.ts',
    reason: 'nine octets end a process whose ldapjs reads them',
    test: [
      'test/directory-face/libraries.test.ts',
      'ldapjs: a socket that it took has none of its readers left, so that it sees no octet of the network',
    ],
  },
  {
    library: 'lmdb',
    version: '3.5.6',
    internal:
      'transactionSync within transaction, overlappingSync and eventTurnBatching off, resetReadTxn after an abort',
    usedIn: 'src/directory/store/environment.ts',
    reason: 'one sync to disk for all writes of the moment, while each is taken back alone',
    test: [
      'test/directory-store/lmdb.test.ts',
      'lmdb: an inner transaction that throws leaves nothing, the others of the same commit stay',
    ],
  },
];
