import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { printable } from '../../src/base/index.ts';
import {
  buildReport,
  type Envelope,
  type EnvelopeRecipient,
  fitReport,
  languageOfSender,
  type Notify,
  type ReplyPhase,
  type ReportedMessage,
  type ReportKind,
  type ReportRequest,
  reportDue,
  reportLanguages,
} from '../../src/mail/index.ts';
import fc from '../lib/properties.ts';

const header = Buffer.from(
  [
    'Received: from pc by mail.contoso.com with ESMTP; Tue, 01 Jul 2025 10:00:00 +0000',
    'X-MS-Exchange-Organization-SCL: -1',
    'X-MS-Exchange-Forest-IndexAgent: 1',
    ' folded',
    'From: Alice <alice@contoso.com>',
    'Subject: Plans',
    'Message-ID: <plans@contoso.com>',
    '',
    '',
  ].join('\r\n'),
);

function message(envelope: Partial<Envelope>, subject = 'Plans'): ReportedMessage {
  const recipients: EnvelopeRecipient[] = [
    { address: 'bob@fabrikam.com', domain: 'fabrikam.com', orcpt: 'rfc822;Bob@Fabrikam.com' },
    { address: 'carol@fabrikam.com', domain: 'fabrikam.com' },
  ];
  return {
    envelope: { from: 'alice@contoso.com', recipients, body: '7BIT', smtpUtf8: false, ...envelope },
    receivedAt: Date.UTC(2025, 6, 1, 10, 0, 0),
    expiresAt: Date.UTC(2025, 6, 3, 10, 0, 0),
    origin: { helo: 'mail.contoso.com', remoteAddress: '192.0.2.1' },
    facts: { messageId: '<plans@contoso.com>', subject, size: 1000 },
  };
}

const common = {
  reportingMta: 'edge.contoso.com',
  postmaster: 'postmaster@contoso.com',
  header,
  language: 'en',
  html: false,
  now: Date.UTC(2025, 6, 1, 10, 5, 0),
  id: '8b0c6d6e-6f0e-4a39-9c53-0d6f0a4a4b11',
};
const unknownUser = { index: 0, reply: '550 5.1.1 User unknown', remote: 'mx.fabrikam.com [203.0.113.5]:25' };
const body = Buffer.concat([header, Buffer.from('Hello,\r\n.dots\r\nund Grüße\r\n')]);

/** Each case has its file; a change of the report shows there as a change of text. EDGE_GOLDEN=write writes them anew. */
const cases: Readonly<Record<string, ReportRequest>> = {
  failed: {
    ...common,
    kind: 'failed',
    message: message({}),
    recipients: [unknownUser, { index: 1, reply: '550 5.4.7 QUEUE.Expired; message expired', remote: '' }],
  },
  'failed-full': {
    ...common,
    kind: 'failed',
    message: message({ ret: 'FULL', envid: 'QQ 314159' }),
    recipients: [unknownUser],
    content: body,
  },
  'failed-headers-only': {
    ...common,
    kind: 'failed',
    message: message({ ret: 'HDRS' }),
    recipients: [unknownUser],
    content: body,
  },
  delayed: {
    ...common,
    kind: 'delayed',
    message: message({}),
    recipients: [{ index: 1, reply: '451 4.4.1 No answer', remote: '' }],
  },
  delivered: {
    ...common,
    kind: 'delivered',
    message: message({}),
    recipients: [{ index: 0, reply: '250 OK', remote: 'hub.contoso.com [10.0.0.1]:25' }],
  },
  relayed: {
    ...common,
    kind: 'relayed',
    message: message({}),
    recipients: [{ index: 0, reply: '250 2.6.0 queued', remote: 'mx.fabrikam.com [203.0.113.5]:25' }],
  },
  'subject-utf8': { ...common, kind: 'failed', message: message({}, 'Grüße aus München'), recipients: [unknownUser] },
  'html-german': {
    ...common,
    kind: 'failed',
    html: true,
    language: 'de-AT',
    message: message({}, 'Pl\u00e4ne <b>&"'),
    recipients: [unknownUser],
    content: body,
  },
  'html-english-delayed': {
    ...common,
    kind: 'delayed',
    html: true,
    message: message({}),
    recipients: [{ index: 1, reply: '451 4.4.1 <script>No answer</script>', remote: '' }],
  },
  global: {
    ...common,
    kind: 'failed',
    header: Buffer.from('From: ü@contoso.com\r\nSubject: Grüße\r\n\r\n'),
    message: message({
      from: 'ü@contoso.com',
      smtpUtf8: true,
      recipients: [{ address: 'ж@fabrikam.com', domain: 'fabrikam.com', orcpt: 'utf-8;ж@fabrikam.com' }],
    }),
    recipients: [{ index: 0, reply: '550 5.6.7 нет SMTPUTF8', remote: 'mx.fabrikam.com [203.0.113.5]:25' }],
  },
};

for (const [name, request] of Object.entries(cases)) {
  test(`report ${name} is as its golden file`, () => {
    const { content } = buildReport(request);
    const path = `${import.meta.dirname}/reports/${name}.eml`;
    if (process.env['EDGE_GOLDEN'] === 'write') writeFileSync(path, content);
    assert.equal(content.toString(), readFileSync(path, 'utf8'));
  });
}

const python = existsSync('/usr/bin/python3');
test('an independent parser reads every report', {
  skip: !python && process.env['CI'] !== 'true' && 'python3 is not installed',
}, () => {
  const script = `
import base64, email, email.policy, json, sys
def read(content):
  m = email.message_from_bytes(base64.b64decode(content), policy=email.policy.default)
  parts = list(m.iter_parts())
  status = parts[1].get_payload()
  human = list(parts[0].iter_parts()) if parts[0].is_multipart() else [parts[0]]
  fields = [[str(v) for v in b.values()] and {k: str(v).strip() for k, v in b.items()} for b in status] if isinstance(status, list) else None
  return {'type': m.get_content_type(), 'report': m.get_param('report-type'), 'subject': str(m['subject']), 'to': str(m['to']),
    'parts': [p.get_content_type() for p in parts], 'text': human[0].get_content(), 'human': [p.get_content_type() for p in human],
    'html': human[-1].get_content(), 'status': fields, 'defects': [str(d) for p in m.walk() for d in p.defects]}
print(json.dumps([read(one) for one in json.load(sys.stdin)]))`;
  const contents = Object.values(cases).map((request) => buildReport(request).content.toString('base64'));
  const run = spawnSync('/usr/bin/python3', ['-c', script], { input: JSON.stringify(contents) });
  assert.equal(run.status, 0, run.stderr.toString());
  const all = JSON.parse(run.stdout.toString()) as {
    type: string;
    report: string;
    subject: string;
    parts: string[];
    text: string;
    human: string[];
    html: string;
    status: Record<string, string>[] | null;
    defects: string[];
  }[];
  for (const [i, [name, request]] of Object.entries(cases).entries()) {
    const read = all[i] ?? assert.fail(name);
    assert.equal(read.type, 'multipart/report', name);
    assert.deepEqual(read.defects, [], name);
    assert.equal(read.parts.length, 3, name);
    assert.equal(`message/${read.report}`, read.parts[1], name);
    assert.ok(read.subject.endsWith(request.message.facts.subject), read.subject);
    assert.ok(read.text.includes(request.message.facts.subject), name);
    assert.deepEqual(read.human, request.html ? ['text/plain', 'text/html'] : ['text/plain'], name);
    // What peers say is never markup.
    if (request.html) assert.doesNotMatch(read.html, /<script>|<b>&"/, name);
    // Python knows the fields of message/delivery-status only, not those of RFC 6533.
    if (name === 'global') continue;
    assert.equal(read.status?.length, 1 + request.recipients.length, name);
    assert.equal(read.status?.[0]?.['Reporting-MTA'], 'dns;edge.contoso.com');
    for (const [i, recipient] of request.recipients.entries()) {
      const address = request.message.envelope.recipients[recipient.index]?.address ?? '';
      const fields: Record<string, string> | undefined = read.status?.[i + 1];
      assert.equal(fields?.['Final-Recipient'], `rfc822;${address}`);
      assert.equal(fields?.['Action'], request.kind);
      assert.match(fields?.['Status'] ?? '', /^[245]\.\d{1,3}\.\d{1,3}$/);
    }
  }
});

test('the envelope: null return path, one recipient, and no report about the report', () => {
  const { envelope, facts, content } = buildReport(cases['failed'] as ReportRequest);
  assert.deepEqual(envelope, {
    from: '',
    recipients: [{ address: 'alice@contoso.com', domain: 'contoso.com', notify: ['NEVER'] }],
    body: '7BIT',
    smtpUtf8: false,
  });
  assert.equal(facts.size, content.length);
  assert.equal(content.toString().slice(facts.headerSize - 4, facts.headerSize), '\r\n\r\n');
  assert.equal(facts.bareLines, false);
  const global = buildReport(cases['global'] as ReportRequest);
  assert.equal(global.envelope.smtpUtf8, true);
  assert.equal(global.envelope.body, '8BITMIME');
});

test('fields of the organization do not leave it in a report', () => {
  for (const name of ['failed', 'failed-full', 'delayed']) {
    assert.doesNotMatch(buildReport(cases[name] as ReportRequest).content.toString(), /X-MS-Exchange-|folded/);
  }
});

test('a header of any size is quoted up to 64 KB, at whole lines', () => {
  const huge = Buffer.from(`${'X-Line: 0123456789\r\n'.repeat(20_000)}\r\n`);
  const { content } = buildReport({ ...(cases['failed'] as ReportRequest), header: huge });
  assert.ok(content.length < 70_000, `${content.length}`);
  assert.ok(content.length > 64_000);
  assert.doesNotMatch(content.toString(), /X-Line: \d{0,9}\r\n/);
});

const statuses: readonly [kind: ReportKind, reply: string, status: string, phase?: ReplyPhase][] = [
  ['failed', '550 5.1.1 User unknown', '5.1.1'],
  ['failed', '550 Rejected by policy', '5.0.0'],
  ['failed', '550 Rejected by policy', '5.0.0', 'RCPT'],
  ['failed', '550 4.2.2 over quota', '4.2.2'],
  ['failed', '550 5.2.2 over quota', '5.2.2'],
  ['failed', '451 2.0.0 an enhanced code of the wrong class', '4.0.0'],
  ['failed', '450-4.2.1 two lines', '4.2.1', 'RCPT'],
  ['failed', '554 4.7.0 no', '4.7.0'],
  ['failed', '554-5.7.1 two lines', '5.7.1'],
  ['failed', '550 4.4.7 QUEUE.Expired; message expired; the last answer was: 450 4.2.1 Busy', '4.4.7'],
  ['failed', '552 full', '5.0.0'],
  ['failed', '552 full', '5.2.2', 'RCPT'],
  ['failed', '552 too big', '5.3.4', 'DATA'],
  ['failed', '553 no such sender', '5.1.7', 'MAIL'],
  ['failed', '553 no such name', '5.1.3', 'RCPT'],
  ['failed', '551 moved', '5.1.6', 'RCPT'],
  ['failed', '530 must authenticate', '5.7.0', 'MAIL'],
  ['failed', '550 2.0.0 a lie', '5.0.0'],
  ['failed', '550 1.2.3.4 is listed', '5.0.0'],
  ['delayed', '450 try later', '4.2.0', 'RCPT'],
  ['failed', '451 4.4.1 gave up', '4.4.1'],
  ['failed', 'connection lost', '5.0.0'],
  ['failed', '', '5.0.0'],
  ['delayed', '451 4.4.1 x', '4.4.1'],
  ['delayed', '550 5.1.1 odd', '4.1.1'],
  ['delayed', 'timeout', '4.0.0'],
  ['delivered', '250 2.1.5 OK', '2.1.5'],
  ['delivered', '250 OK', '2.0.0'],
];
for (const [kind, reply, status, phase] of statuses) {
  test(`${kind}, '${reply}' to ${phase ?? 'whatever'}: status ${status}`, () => {
    const { content } = buildReport({
      ...common,
      kind,
      message: message({}),
      recipients: [{ index: 0, reply, remote: '', ...(phase !== undefined && { phase }) }],
    });
    assert.match(content.toString(), new RegExp(`\r\nStatus: ${status.replaceAll('.', '\\.')}\r\n`));
  });
}

const advised: readonly (readonly [reply: string, said: RegExp, never: RegExp])[] = [
  ['550 4.4.7 QUEUE.Expired; message expired; the last answer was: 450 4.2.1 Busy', /until the time was up/, /address/],
  ['550 4.2.2 over quota', /mailbox is full/, /misspell/],
  ['554 4.7.0 no', /for reasons of security/, /address/],
  ['550 Rejected by policy', /Its words below/, /address was refused|misspell/],
];
for (const [reply, said, never] of advised) {
  test(`the advice on '${reply}' follows its status`, () => {
    const recipients = [{ index: 0, reply, remote: '' }];
    const text = buildReport({ ...common, kind: 'failed', message: message({}), recipients }).content.toString();
    const human = text.slice(0, text.indexOf('message/delivery-status'));
    assert.match(human, said);
    assert.doesNotMatch(human, never);
    assert.ok(human.includes(reply), 'the last answer is quoted');
  });
}

const names: readonly (readonly [remote: string, field: string | undefined])[] = [
  ['mx.fabrikam.com [203.0.113.5]:25', 'dns;mx.fabrikam.com'],
  ['[203.0.113.5]:2525', 'dns;[203.0.113.5]'],
  ['[2001:db8::5]:25', 'dns;[IPv6:2001:db8::5]'],
  ['/run/dovecot/lmtp', undefined],
  ['Maildir', undefined],
  ['', undefined],
];
for (const [remote, field] of names) {
  test(`Remote-MTA of '${remote}' is a name without a port`, () => {
    const recipients = [{ index: 0, reply: '550 5.1.1 x', remote }];
    const { content } = buildReport({ ...common, kind: 'failed', message: message({}), recipients });
    assert.equal(/^Remote-MTA: (.*)\r$/m.exec(content.toString())?.[1], field);
  });
}

test('a finished report is cut for a way back that takes less', () => {
  const original = Buffer.concat([header, Buffer.from('x'.repeat(5_000))]);
  const wish = {
    ...common,
    kind: 'failed',
    message: message({}),
    recipients: [unknownUser],
    content: original,
  } as const;
  const whole = buildReport(wish).content;
  assert.equal(fitReport(whole, whole.length)?.change, 'headers only');
  const fitted = fitReport(whole, 3_000);
  assert.equal(fitted?.change, 'headers only');
  // The same as a report that never had more.
  assert.equal(fitted.content.toString(), buildReport({ ...wish, mostBytes: 3_000 }).content.toString());
  const least = fitReport(whole, fitted.content.length - 1);
  assert.equal(least?.change, 'without the original');
  assert.ok(least.content.toString().endsWith(`\r\n--=_${common.id}--\r\n`));
  assert.equal(fitReport(whole, 500), undefined);
  // HTML goes last.
  const two = buildReport({ ...wish, html: true });
  const plain = fitReport(two.content, least.content.length);
  assert.equal(plain?.change, 'without the original and HTML');
  assert.equal(plain.content.toString(), least.content.toString());
  assert.equal(
    buildReport({ ...wish, html: true, mostBytes: least.content.length }).content.length,
    plain.content.length,
  );
  assert.equal(fitReport(Buffer.from('Subject: no report\r\n\r\n'), 10), undefined);
});

test('an address whose domain alone is no ASCII needs no SMTPUTF8 on its way back', () => {
  const recipients = [unknownUser];
  const wish = message({ from: 'alice@b\u00fccher.example' });
  const report = buildReport({ ...common, kind: 'failed', message: wish, recipients });
  assert.match(report.content.toString(), /^To: <alice@xn--bcher-kva\.example>\r$/m);
  assert.equal(report.envelope.smtpUtf8, false);
});

test('whatever peers say, the report has its three parts, no bare line and no foreign field', () => {
  const said = fc.string({ unit: 'binary', maxLength: 300 });
  const tricky = fc.oneof(said, fc.constantFrom('550 5.1.1 a\r\nBcc: evil', '550 \n\n--=_', '\0', 'x'.repeat(3000)));
  fc.assert(
    fc.property(tricky, tricky, tricky, tricky, fc.boolean(), (reply, remote, helo, subject, utf8AndHtml) => {
      const smtpUtf8 = utf8AndHtml;
      const base = message({ envid: helo, smtpUtf8 }, subject);
      const { content, facts } = buildReport({
        ...common,
        kind: 'failed',
        html: utf8AndHtml,
        message: {
          ...base,
          origin: { helo, remoteAddress: '192.0.2.1' },
          facts: { ...base.facts, messageId: subject },
        },
        recipients: [{ index: 0, reply, remote }],
        header: Buffer.from(`Subject: ${subject}\r\n`),
      });
      const text = content.toString();
      assert.equal(facts.bareLines, false);
      assert.equal(text.split(/^--=_8b0c6d6e-[0-9a-f-]+\r\n/m).length, 5);
      const head = text.slice(0, facts.headerSize);
      assert.doesNotMatch(head, /^Bcc:/im);
      const status = text.split('/delivery-status\r\n')[1] ?? text.split('global-delivery-status\r\n')[1] ?? '';
      assert.doesNotMatch(
        status.split('--=_8b0c')[0] ?? '',
        /^(?!Content-|Original-|Final-|Reporting-|Received-From-|Arrival-|Action|Status|Remote-|Diagnostic-|Last-|\r?$)[^ \t]/m,
      );
    }),
    { numRuns: 500 },
  );
});

test('what must not be reported is refused', () => {
  assert.throws(
    () => buildReport({ ...common, kind: 'failed', message: message({ from: '' }), recipients: [unknownUser] }),
    RangeError,
  );
  assert.throws(() => buildReport({ ...common, kind: 'failed', message: message({}), recipients: [] }), RangeError);
  assert.throws(
    () => buildReport({ ...common, kind: 'failed', message: message({}), recipients: [{ ...unknownUser, index: 9 }] }),
    RangeError,
  );
});

// RFC 3461 §4.1: every kind against every NOTIFY. '' stands for a NOTIFY that was not given.
const due: readonly [notify: string, failed: boolean, delayed: boolean, success: boolean][] = [
  ['', true, true, false],
  ['NEVER', false, false, false],
  ['FAILURE', true, false, false],
  ['DELAY', false, true, false],
  ['SUCCESS', false, false, true],
  ['SUCCESS,FAILURE', true, false, true],
  ['SUCCESS,FAILURE,DELAY', true, true, true],
];
for (const [notify, failed, delayed, success] of due) {
  test(`NOTIFY=${notify}`, () => {
    const recipient = notify === '' ? {} : { notify: notify.split(',') as Notify[] };
    const answer = (kind: ReportKind, from = 'a@b'): boolean => reportDue(kind, { envelope: { from } }, recipient).due;
    assert.deepEqual(
      [answer('failed'), answer('delayed'), answer('delivered'), answer('relayed')],
      [failed, delayed, success, success],
    );
    for (const kind of ['failed', 'delayed', 'delivered', 'relayed'] as const) {
      assert.equal(answer(kind, ''), false, 'never to the null sender');
    }
  });
}

test('a report on REQUIRETLS is itself REQUIRETLS and quotes the header alone (RFC 8689 §5)', () => {
  const wish = { ...common, kind: 'failed', recipients: [unknownUser], content: body } as const;
  const report = buildReport({ ...wish, message: message({ tls: 'required' }) });
  assert.equal(report.envelope.tls, 'required');
  assert.match(report.content.toString(), /text\/rfc822-headers/);
  assert.doesNotMatch(report.content.toString(), /message\/rfc822\r/);
  assert.equal(buildReport({ ...wish, message: message({ tls: 'optional' }) }).envelope.tls, undefined);
});

test('of a binary message the header alone is returned (RFC 3030 §3)', () => {
  const request = cases['failed-full'] as ReportRequest;
  assert.match(buildReport(request).content.toString(), /Content-Type: message\/rfc822/);
  const envelope = { ...request.message.envelope, body: 'BINARYMIME' } as const;
  const report = buildReport({ ...request, message: { ...request.message, envelope } });
  assert.match(report.content.toString(), /Content-Type: text\/rfc822-headers/);
  assert.doesNotMatch(report.content.toString(), /message\/rfc822/);
});

const spoken: readonly (readonly [fields: string, tag: string | undefined])[] = [
  ['Subject: x', undefined],
  ['Accept-Language: de-DE, en-US', 'de'],
  ['accept-language: en;q=0.3, fr-CA;q=0.9, es;q=0.8', 'fr'],
  ['Accept-Language: ja, es-MX;q=0.5', 'es'],
  ['Accept-Language: de;q=0, fr;q=0.1', 'fr'],
  ['Accept-Language: ja\r\nContent-Language: de', 'de'],
  ['Content-Language: es', 'es'],
  ['Accept-Language: ,;;q=x,*', undefined],
];
for (const [fields, tag] of spoken)
  test(`a sender that writes '${printable(fields)}' reads ${tag ?? 'what the organization says'}`, () =>
    assert.equal(languageOfSender(Buffer.from(`${fields}\r\n\r\n`)), tag));

test('every language has an answer to every kind and status', () => {
  for (const language of reportLanguages)
    for (const kind of ['failed', 'delayed', 'delivered', 'relayed'] as const) {
      const texts = ['550 5.1.1 x', '550 5.7.1 x', '550 5.9.9 x'].map((reply) => {
        const recipients = [{ index: 0, reply, remote: 'mx.example' }];
        return buildReport({ ...common, kind, language, message: message({}), recipients }).content.toString();
      });
      assert.equal(new Set(texts).size, 3, `${language} ${kind}`);
    }
  const subjects = reportLanguages.map(
    (language) =>
      buildReport({ ...common, kind: 'failed', language, message: message({}), recipients: [unknownUser] }).facts
        .subject,
  );
  assert.deepEqual(subjects, [
    'Undeliverable: Plans',
    'Unzustellbar: Plans',
    'Non remis: Plans',
    'No se puede entregar: Plans',
  ]);
});
