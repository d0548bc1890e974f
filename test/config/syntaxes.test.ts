import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type AnyProperty,
  Quantity,
  receiveConnector,
  remoteDomain,
  sendConnector,
  transportConfig,
  transportService,
} from '../../src/config/index.ts';

/** Said in the shell, and printed by it. */
const valid: readonly (readonly [row: AnyProperty, said: unknown, shown: string])[] = [
  [receiveConnector.properties.bindings, '0.0.0.0:25', '0.0.0.0:25'],
  [receiveConnector.properties.bindings, ['127.0.0.1:2526', '[::]:25'], '127.0.0.1:2526,[::]:25'],
  [receiveConnector.properties.bindings, '127.0.0.1:25, 127.0.0.1:25', '127.0.0.1:25'],
  [receiveConnector.properties.remoteIPRanges, '10.0.0.0/8', '10.0.0.0/8'],
  [receiveConnector.properties.remoteIPRanges, '192.168.9.0(255.255.255.0)', '192.168.9.0(255.255.255.0)'],
  [receiveConnector.properties.remoteIPRanges, '192.168.1.1-192.168.1.9,::1', '192.168.1.1-192.168.1.9,::1'],
  [receiveConnector.properties.maxMessageSize, '36MB', '36 MB (37,748,736 bytes)'],
  [receiveConnector.properties.maxMessageSize, 65_536, '64 KB (65,536 bytes)'],
  [receiveConnector.properties.maxMessageSize, '36 MB (37,748,736 bytes)', '36 MB (37,748,736 bytes)'],
  [receiveConnector.properties.maxMessageSize, Quantity.bytes(65_536), '64 KB (65,536 bytes)'],
  [receiveConnector.properties.connectionTimeout, '00:05:00', '00:05:00'],
  [receiveConnector.properties.connectionTimeout, Quantity.seconds(90), '00:01:30'],
  [receiveConnector.properties.connectionTimeout, '1.00:00:00', '1.00:00:00'],
  [receiveConnector.properties.maxInboundConnectionPerSource, 'UNLIMITED', 'Unlimited'],
  [receiveConnector.properties.maxInboundConnectionPerSource, '20', '20'],
  [receiveConnector.properties.authMechanism, 'exchangeserver, TLS', 'Tls, ExchangeServer'],
  [receiveConnector.properties.authMechanism, ['Tls', 'BasicAuth'], 'Tls, BasicAuth'],
  [receiveConnector.properties.authMechanism, 'None', 'None'],
  [receiveConnector.properties.enabled, '$FALSE', 'false'],
  [receiveConnector.properties.enabled, 1, 'true'],
  [receiveConnector.properties.fqdn, 'Mail.Example.COM.', 'mail.example.com'],
  [receiveConnector.properties.fqdn, 'müller.example', 'xn--mller-kva.example'],
  [receiveConnector.properties.fqdn, null, 'null'],
  [receiveConnector.properties.banner, '220 hello', '220 hello'],
  [receiveConnector.properties.tlsCertificateName, '<I>CN=R3, O=CA<S>CN=mail', '<I>CN=R3, O=CA<S>CN=mail'],
  [
    receiveConnector.properties.tlsDomainCapabilities,
    'a.example:AcceptCloudServicesMail,AcceptOorgProtocol',
    'a.example:AcceptCloudServicesMail,AcceptOorgProtocol',
  ],
  [sendConnector.properties.addressSpaces, '*', 'SMTP:*;1'],
  [sendConnector.properties.addressSpaces, 'SMTP:*.Example.com;10,--', 'SMTP:*.example.com;10,SMTP:--;1'],
  [sendConnector.properties.addressSpaces, 'X400:c=us;a= ;p=x;5', 'X400:c=us;a= ;p=x;5'],
  [sendConnector.properties.smartHosts, '10.0.0.1', '[10.0.0.1]'],
  [sendConnector.properties.smartHosts, ['[10.0.0.1]:2525', 'Hub.example'], '[10.0.0.1]:2525,hub.example'],
  [sendConnector.properties.smartHosts, '[2001:db8::1]', '[2001:db8::1]'],
  [sendConnector.properties.smartHosts, '--', '--'],
  [sendConnector.properties.tlsAuthLevel, null, 'null'],
  [sendConnector.properties.tlsAuthLevel, 'domainvalidation', 'DomainValidation'],
  [sendConnector.properties.maxMessageSize, 'Unlimited', 'Unlimited'],
  [sendConnector.properties.sourceIPAddress, '127.0.0.1', '127.0.0.1'],
  [remoteDomain.properties.tnefEnabled, '$null', 'null'],
  [remoteDomain.properties.tnefEnabled, '$false', 'false'],
  [remoteDomain.properties.requiredCharsetCoverage, 100, '100'],
  [transportConfig.properties.externalPostmasterAddress, 'postmaster@example.com', 'postmaster@example.com'],
  [transportConfig.properties.generateCopyOfDSNFor, '5.4.8, 5.4.6', '5.4.8,5.4.6'],
  [transportService.properties.messageTrackingLogPath, '/var/log/edge', '/var/log/edge'],
  [transportService.properties.externalDNSServers, '127.0.0.53', '127.0.0.53'],
];

for (const [row, said, shown] of valid) {
  test(`${row.attribute}: ${JSON.stringify(said)} is shown as ${shown}`, () => {
    const value = row.syntax.parse(said);
    assert.equal(String(row.syntax.show(value)), shown);
    const written = row.bit === undefined ? row.syntax.write(value) : [];
    const back =
      row.bit !== undefined
        ? row.syntax.fromBits(row.syntax.toBits(value))
        : written.length === 0
          ? value
          : row.syntax.read(written);
    assert.deepEqual(back, value);
  });
}

const invalid: readonly (readonly [row: AnyProperty, said: unknown, why: RegExp])[] = [
  [receiveConnector.properties.bindings, '0.0.0.0', /endpoint such as 0\.0\.0\.0:25/],
  [receiveConnector.properties.bindings, '[127.0.0.1]:x', /endpoint such as/],
  [receiveConnector.properties.bindings, '127.0.0.1:0', /port from 1 to 65535/],
  [receiveConnector.properties.bindings, '127.0.0.1:65536', /port from 0 to 65535/],
  [receiveConnector.properties.bindings, 'localhost:25', /not an IP address/],
  [receiveConnector.properties.remoteIPRanges, '10.0.0.0/33', /prefix/],
  [receiveConnector.properties.remoteIPRanges, '10.0.0.9-10.0.0.1', /ends before/],
  [
    receiveConnector.properties.maxMessageSize,
    '1KB',
    /1 KB \(1,024 bytes\) is outside the range from 64 KB \(65,536 bytes\) to 2 GB \(2,147,483,647 bytes\)/,
  ],
  [receiveConnector.properties.maxMessageSize, 'big', /size such as 36MB/],
  [receiveConnector.properties.maxMessageSize, null, /not \$null/],
  [
    receiveConnector.properties.connectionTimeout,
    '00:00:00',
    /00:00:00 is outside the range from 00:00:01 to 1\.00:00:00/,
  ],
  [receiveConnector.properties.connectionTimeout, '00:00:01.5', /whole number of seconds/],
  [receiveConnector.properties.maxInboundConnectionPerSource, 10_001, /10000; Unlimited is allowed too/],
  [receiveConnector.properties.maxHopCount, '5.5', /whole number from 1 to 500/],
  [receiveConnector.properties.authMechanism, 'None,Tls', /'None' cannot be combined/],
  [receiveConnector.properties.authMechanism, 'Tsl', /'Tsl' is not one of None, Tls/],
  [receiveConnector.properties.banner, '250 hello', /begin with 220/],
  [receiveConnector.properties.banner, '220 a\r\n220 b', /line break/],
  [receiveConnector.properties.fqdn, 'a b', /domain name/],
  [receiveConnector.properties.fqdn, '10.0.0.1', /domain name/],
  [receiveConnector.properties.tlsCertificateName, 'CN=mail', /<I>issuer<S>subject/],
  [sendConnector.properties.addressSpaces, '*;101', /cost is not from 1 to 100/],
  [sendConnector.properties.addressSpaces, 'a..b', /domain name/],
  [sendConnector.properties.smartHosts, '[hub]', /IP address between the brackets/],
  [sendConnector.properties.smartHosts, '10.0.0.256', /not an IP address/],
  [sendConnector.properties.smartHosts, 'hub:99999', /port from 1 to 65535/],
  [transportConfig.properties.externalPostmasterAddress, 'postmaster', /user@example\.com/],
  [transportConfig.properties.generateCopyOfDSNFor, '9.9.9', /status code such as/],
  [transportService.properties.messageTrackingLogPath, '../../etc', /leaves its folder/],
  [transportService.properties.messageTrackingLogPath, null, /not \$null/],
];

for (const [row, said, why] of invalid) {
  test(`${row.attribute}: ${JSON.stringify(said)} is refused`, () => {
    assert.throws(
      () => row.syntax.parse(said),
      (error) => error instanceof RangeError && why.test(error.message),
    );
  });
}

test('a quantity compares as a number and prints as text', () => {
  assert.ok(Quantity.bytes(10) < Quantity.bytes(20));
  assert.equal(String(Quantity.seconds(60)), '00:01:00');
  assert.equal(JSON.stringify(Quantity.count(Infinity)), '"Unlimited"');
});
