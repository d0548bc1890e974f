/**
 * Everything that the product takes from the inside of its libraries and of Node: members without documentation, overridden
 * methods, behaviour that is relied on and could change. Before a new version of a library: run the tests named here, read what changed at these
 * places, then write the new version down.
 */
export interface HeldInternal {
  readonly library: string;
  /** Version that was read; the installed one. */
  readonly version: string;
  readonly internal: string;
  readonly usedIn: string;
  /** Text in that file by which the use is seen. */
  readonly seenBy: string;
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
    seenBy: '_nextMessageId',
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
    seenBy: 'newConnection',
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
    seenBy: "'data'",
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
    usedIn: 'src/directory/store/files/environment.ts',
    seenBy: 'eventTurnBatching',
    reason: 'one sync to disk for all writes of the moment, while each is taken back alone',
    test: [
      'test/directory-store/lmdb.test.ts',
      'lmdb: an inner transaction that throws leaves nothing, the others of the same commit stay',
    ],
  },
  {
    library: 'lmdb',
    version: '3.5.6',
    internal: "error.commitError, a second promise with the system's reason",
    usedIn: 'src/base/commit-reason.ts',
    seenBy: 'commitError',
    reason: 'without a handler it ends the process; the first error says nothing of the cause',
    test: [
      'test/directory-store/lmdb.test.ts',
      'lmdb: a commit that fails rejects with commitError, whose reason is that of the system',
    ],
  },
  {
    library: 'lmdb',
    version: '3.5.6',
    internal: 'env.info().lastPageNumber, and page counts in getStats()',
    usedIn: 'src/queue/spool/databases.ts',
    seenBy: 'lastPageNumber',
    reason: 'the room of the store is known without asking the file system at every commit',
    test: [
      'test/directory-store/lmdb.test.ts',
      'lmdb: info and stats count the pages that are used, and where they end',
    ],
  },
  {
    library: 'smtp-server',
    version: '3.21.6',
    internal: 'SMTPServer, SMTPConnection and SMTPStream: the methods that are overridden',
    usedIn: 'src/smtp-receive/edge-connection.ts',
    seenBy: 'override _onCommand',
    reason: 'TLS, XCLIENT and timeouts are its own; commands, content and replies are ours',
    test: ['test/smtp-receive/library.test.ts', 'behaviour: the library calls every method that is overridden'],
  },
  {
    library: 'smtp-server',
    version: '3.21.6',
    internal: 'the parser is a Writable with isClosed, and content mode is _dataMode',
    usedIn: 'src/smtp-receive/content/edge-stream.ts',
    seenBy: '_dataMode',
    reason: 'upgrade() and close() act on the parser',
    test: [
      'test/smtp-receive/library.test.ts',
      'the parser is a Writable with isClosed, as upgrade() and close() take it',
    ],
  },
  {
    library: 'nodemailer',
    version: '10.6.0',
    internal: 'SMTPConnection: _responseActions, _actionGreeting, _actionHELO, _parseEhloExtensions, _sendCommand',
    usedIn: 'src/smtp-send/connection/nodemailer-connection.ts',
    seenBy: '_responseActions',
    reason: 'each recipient is settled by its own reply, and commands go out in one piece',
    test: ['test/smtp-send/library-behaviour.test.ts', 'greeting, EHLO and its answer pass the hooks in this order'],
  },
  {
    library: 'nodemailer',
    version: '10.6.0',
    internal: 'SMTPConnection._upgradeConnection follows a yes to STARTTLS',
    usedIn: 'src/smtp-send/connection/nodemailer-connection.ts',
    seenBy: '_upgradeConnection',
    reason: 'what TLS reached is judged before anything more is said',
    test: [
      'test/smtp-send/library-behaviour.test.ts',
      'STARTTLS that is offered is asked for, and a yes is followed by the upgrade',
    ],
  },
  {
    library: 'node-forge',
    version: '1.4.3',
    internal: 'lib/asn1.js alone; a BMPString is code units, all else octets',
    usedIn: 'src/tls/der/der.ts',
    seenBy: 'node-forge/lib/asn1.js',
    reason: 'the whole of it is 2 MB in each worker',
    test: ['test/tls/library-behaviour.test.ts', 'forge: a BMPString is code units, a UTF8String octets'],
  },
  {
    library: 'node-forge',
    version: '1.4.3',
    internal: 'fromDer reads a BMPString of odd length too far, and derToOid takes padded identifiers',
    usedIn: 'src/tls/der/der.ts',
    seenBy: 'holdsBmpString',
    reason: 'two encodings would be one name',
    test: ['test/tls/library-behaviour.test.ts', 'forge: a padded identifier and a cut one read as the plain one'],
  },
  {
    library: 'node-forge',
    version: '1.4.3',
    internal: 'pkcs12FromAsn1 leaves keys that it does not know as ASN.1',
    usedIn: 'src/certificates/pfx.ts',
    seenBy: 'pkcs12FromAsn1',
    reason: 'it knows RSA alone',
    test: [
      'test/tls/library-behaviour.test.ts',
      'forge: a PFX of an EC key leaves key and certificate as ASN.1; without its MAC it opens all the same',
    ],
  },
  {
    library: 'node',
    version: '24.21.0',
    internal: 'net._createServerHandle',
    usedIn: 'src/processes/listen-sockets.ts',
    seenBy: '_createServerHandle',
    reason: 'binds with SO_REUSEPORT without accepting: the sockets are handed to workers',
    test: [
      'test/processes/runtime.test.ts',
      'node: _createServerHandle binds one port twice, accepts nothing, and says the errno',
    ],
  },
  {
    library: 'node',
    version: '24.21.0',
    internal: 'TLSSocket._handle.verifyError()',
    usedIn: 'src/directory/face/tls-upgrade.ts',
    seenBy: 'verifyError',
    reason: 'a TLS socket without a tls.Server does not fill in `authorized`',
    test: [
      'test/tls/library-behaviour.test.ts',
      'node: verifyError of a TLS socket without a server is the verdict on the chain',
    ],
  },
  {
    library: 'node',
    version: '24.21.0',
    internal: 'checkIssued() compares names and key identifiers, not signatures',
    usedIn: 'src/tls/certificate/certificate-path.ts',
    seenBy: 'checkIssued',
    reason: 'chains are verified link by link',
    test: ['test/tls/library-behaviour.test.ts', 'node: checkIssued does not look at the signature'],
  },
  {
    library: 'node',
    version: '24.21.0',
    internal: 'authorizationError is INVALID_PURPOSE for a self-signed client certificate without clientAuth',
    usedIn: 'src/tls/policy/client-policy.ts',
    seenBy: 'INVALID_PURPOSE',
    reason: 'whoever ignores that code admits every stranger',
    test: [
      'test/tls/library-behaviour.test.ts',
      'node: an untrusted self-signed client certificate without clientAuth is INVALID_PURPOSE, nothing more',
    ],
  },
  {
    library: 'pino',
    version: '10.4.0',
    internal: 'a destination is one call of write() for each line, and destination() takes an open file',
    usedIn: 'src/logs/service-log.ts',
    seenBy: 'destination({ dest: openOwnLog',
    reason: 'lines are bounded, escaped and counted on their way, and the file is opened by us',
    test: [
      'test/logs/service-log.test.ts',
      'pino: each line is one write, censored, and destination() writes to the file that it gets',
    ],
  },
];
