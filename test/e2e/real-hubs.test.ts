import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { sendMessage } from '../../src/lab/lab-client.ts';
import { driveWithTools } from '../bench/postfix-tools.ts';
import { Appliance, eventually } from '../lib/appliance.ts';
import { Dovecot } from '../lib/dovecot.ts';
import { needs, swaks } from '../lib/peers.ts';
import { freePort } from '../lib/ports.ts';
import { Postfix } from '../lib/postfix.ts';

const sample = (name: string): Buffer => readFileSync(new URL(`../../src/lab/messages/${name}.eml`, import.meta.url));

/** An edge that takes mail for a domain and sends it to a port. */
function edgeFor(domain: string, port: number): Promise<Appliance> {
  return Appliance.start({
    workers: 1,
    lines: [
      `New-AcceptedDomain -Name Inside -DomainName ${domain} -DomainType Authoritative`,
      `New-SendConnector -Name Inside -Usage Internal -AddressSpaces "SMTP:--;1" -DNSRoutingEnabled $false -SmartHosts "[127.0.0.1]" -Port ${port}`,
    ],
  });
}

describe('an edge before real mail systems', () => {
  test(
    'Postfix as the hub, Dovecot behind it: mail lies in the mailbox, an unknown user is reported',
    needs('root', 'postfix', 'dovecot', 'swaks'),
    async () => {
      await using dovecot = await Dovecot.start();
      await using postfix = await Postfix.start({
        port: await freePort(),
        settings: {
          virtual_mailbox_domains: 'x.test',
          virtual_transport: `lmtp:unix:${dovecot.socket}`,
          smtpd_recipient_restrictions: 'permit_mynetworks, reject',
          local_transport: 'error:none',
          disable_dns_lookups: 'yes',
        },
      });
      await using edge = await edgeFor('x.test', postfix.port);
      const content = sample('dkim');
      await sendMessage('127.0.0.1', edge.port, {
        from: 'ada@sender.example',
        to: ['ann@x.test'],
        parameters: '',
        content,
      });
      const result = swaks(
        '--server',
        '127.0.0.1',
        '-p',
        String(edge.port),
        '--from',
        'a@sender.example',
        '--to',
        'bob@x.test',
        '--tls',
      );
      assert.equal(result.status, 0, result.text);
      await eventually('the mail of ann', () => dovecot.mail('ann').length === 1, 90_000);
      await eventually('the mail of bob', () => dovecot.mail('bob').length === 1, 90_000);
      // Dovecot keeps lines with LF; nothing else may differ.
      const body = content.toString('latin1').replaceAll('\r\n', '\n');
      assert.ok(dovecot.mail('ann')[0]?.replaceAll('\r\n', '\n').endsWith(body), dovecot.mail('ann')[0]);
    },
  );

  test(
    'smtp-source to smtp-sink: every message arrives, once, on new and on kept connections',
    needs('smtp-source', 'smtp-sink'),
    async () => {
      const sinkPort = await freePort();
      await using edge = await edgeFor('rcpt.test', sinkPort);
      for (const keep of [false, true]) {
        const { arrived } = await driveWithTools({
          relayPort: edge.port,
          sinkPort,
          messages: 1000,
          sessions: 20,
          keep,
        });
        assert.equal(arrived, 1000, keep ? 'kept' : 'new');
      }
    },
  );
});
