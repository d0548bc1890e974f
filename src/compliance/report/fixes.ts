/** For each kind of miss the line that mends it: for Edge, Exchange and Postfix. */
import type { Rule } from '../facts/profile.ts';
import { versionTexts } from '../facts/version-texts.ts';
import { type Fix, same } from './fix.ts';
import { suiteFix } from './suite-fix.ts';

/** What a fix depends on. */
export interface Missed {
  readonly rule: Pick<Rule, 'check' | 'subject' | 'expect'>;
  /** Identifier of the profile that is missed. */
  readonly profile: string;
  /** What was seen: names of suites, of groups. */
  readonly evidence: string;
}

/** The lines for a rule that was missed; undefined where there is nothing to set. */
export function fixFor({ rule, profile, evidence }: Missed): Fix | undefined {
  const { check, subject = '', expect = '' } = rule;
  if (check === 'domain') {
    const line = byDomainSubject[subject];
    return line === undefined ? undefined : same(line);
  }
  if (check === 'protocol') return versionFix(subject, expect);
  if (check === 'mail') return byMailSubject[subject] ?? starttls;
  if (check === 'chain') return byChainSubject[subject] ?? certificate;
  if (check === 'feature') return byFeature[subject] ?? update;
  if (['list', 'any', 'all'].includes(check)) {
    if (subject.startsWith('cipherSuites')) return suiteFix(profile, check === 'list' ? evidence : '');
    if (subject === 'protocols') return versionFix('tls1_2', 'offered');
    return subject.startsWith('groups') ? groupFix(profile) : certificate;
  }
  return byCheck[check];
}

function versionFix(version: string, expect: string): Fix {
  const off = expect === 'not-offered';
  const newest = off && version === 'tls1_2' ? '3' : '2';
  const key = `HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\${versionTexts[version] ?? ''}\\Server`;
  return {
    edge: `Set-ReceiveConnector NAME -TlsMinVersion Tls1${newest}${off ? '' : ' -TlsCipherProfile intermediate'}`,
    exchange: `reg add "${key}" /v Enabled /t REG_DWORD /d ${off ? 0 : 1} /f`,
    postfix: `smtpd_tls_protocols = >=TLSv1.${newest}, smtpd_tls_mandatory_protocols = >=TLSv1.${newest}`,
  };
}

const certificate: Fix = {
  edge: "New-ExchangeCertificate -GenerateRequest -KeyAlgorithm ECDSA -DomainName HOST; then Set-ReceiveConnector NAME -TlsCertificateName '<I>CN=ISSUER<S>CN=HOST'",
  exchange:
    'New-ExchangeCertificate -GenerateRequest -KeySize 3072 -DomainName HOST; then Enable-ExchangeCertificate THUMBPRINT -Services SMTP',
  postfix: 'smtpd_tls_chain_files = /etc/postfix/key-and-chain.pem',
};

const withoutDemand =
  'no setting: it staples nothing; take a certificate without the TLS feature status_request (RFC 7633)';

const byChainSubject: Readonly<Record<string, Fix>> = {
  inOrder: {
    edge: 'Import-ExchangeCertificate with a PFX or PEM whose chain is in order, leaf first',
    exchange: 'Import-ExchangeCertificate; the intermediate belongs into Cert:\\LocalMachine\\CA',
    postfix: 'smtpd_tls_chain_files: key, leaf, then each certificate that issued the one before',
  },
};

const starttls: Fix = {
  edge: 'Set-ReceiveConnector NAME -AuthMechanism Tls',
  exchange: 'Set-ReceiveConnector NAME -AuthMechanism Tls',
  postfix: 'smtpd_tls_security_level = may',
};
const other = (postfix: string): Fix => ({
  edge: 'no setting: Edge holds to it; look at what stands before it (firewall, proxy)',
  exchange: 'no setting: install the current updates; look at what stands before it',
  postfix,
});

const inspection = 'switch the SMTP inspection of the firewall off (Cisco ASA: no inspect esmtp)';

const byMailSubject: Readonly<Record<string, Fix>> = {
  authBeforeTls: {
    edge: 'Set-ReceiveConnector NAME -AuthMechanism Tls, BasicAuth, BasicAuthRequireTLS',
    exchange: 'Set-ReceiveConnector NAME -AuthMechanism Tls, BasicAuth, BasicAuthRequireTLS',
    postfix: 'smtpd_tls_auth_only = yes',
  },
  starttlsMasked: same(inspection),
  refusesParameter: other('no setting: update Postfix'),
  injectable: other('no setting: update Postfix to 2.8.3 or newer'),
  stateReset: other('no setting: update Postfix'),
};

const update: Fix = {
  edge: 'no setting: OpenSSL of the runtime decides; update Edge',
  exchange: 'no setting: Schannel decides; install the current updates of Windows',
  postfix: 'no setting: OpenSSL decides; update it',
};

const byFeature: Readonly<Record<string, Fix>> = {
  compression: { ...update, postfix: 'tls_ssl_options = NO_COMPRESSION' },
  clientRenegotiation: {
    ...update,
    edge: 'no setting: Edge takes no renegotiation of the client',
    postfix: 'tls_ssl_options = NO_RENEGOTIATION',
  },
  sessionTickets: { ...update, postfix: 'tls_ssl_options = NO_TICKET' },
  earlyData: { ...update, edge: 'no setting: Edge takes no early data' },
  ocspStaple: {
    ...update,
    edge: 'no setting: Edge staples nothing yet',
    postfix: 'no setting: Postfix staples nothing',
  },
  clientCertificateUrl: { ...update, edge: 'no setting: Edge fetches no address that a client names' },
  rawPublicKeys: {
    edge: 'no setting: Edge shows X.509 certificates alone',
    exchange: 'no setting: Schannel has no raw keys; look at what stands before it',
    postfix: 'smtpd_tls_enable_rpk = no',
  },
  largeClientHello: same('look at what stands before it: a box that drops hellos beyond one packet; update it'),
};

function groupFix(profile: string): Fix {
  const [bsi, nist] = [profile.startsWith('bsi'), profile.startsWith('nist')];
  return {
    edge: `Set-ReceiveConnector NAME -TlsCipherProfile ${bsi ? 'bsi' : nist ? 'nist' : 'intermediate'}`,
    exchange: 'Enable-TlsEccCurve -Name NistP256, or Disable-TlsEccCurve -Name CURVE',
    postfix: `tls_eecdh_auto_curves = ${bsi || nist ? '' : 'X25519 '}prime256v1 secp384r1${bsi ? ' brainpoolP256r1' : ''}`,
  };
}

const byCheck: Readonly<Record<string, Fix>> = {
  key: certificate,
  'chain-signature': certificate,
  'leaf-signature': certificate,
  demanded: certificate,
  staple: same(withoutDemand),
  revocation: certificate,
  lifetime: certificate,
  'public-lifetime': certificate,
  expiry: certificate,
  handshake: certificate,
  order: {
    edge: 'Set-ReceiveConnector NAME -TlsCipherProfile bsi, or nist: they prefer their own order',
    exchange: 'Enable-TlsCipherSuite -Name SUITE -Position 0',
    postfix: 'tls_preempt_cipherlist = yes',
  },
  'finite-field': {
    edge: 'no setting: Edge takes no DHE suite',
    exchange: 'Disable-TlsCipherSuite -Name TLS_DHE_RSA_WITH_AES_256_GCM_SHA384',
    postfix: 'smtpd_tls_exclude_ciphers = kDHE, or smtpd_tls_dh1024_param_file = /etc/postfix/ffdhe3072.pem',
  },
  // Missed by SSL 3.0 alone.
  'cbc-padding': versionFix('ssl3', 'not-offered'),
  inventory: same('no setting: hold it against the list of who answers for it'),
  'ehlo-difference': other('no setting: update Postfix'),
  parity: same('give every host of the domain the same settings'),
  ports: same('give what listens on 465 and 587 the settings of port 25'),
  stripping: same(inspection),
  requiretls: other('no setting: Postfix 3.10 and older do not offer it; look at what stands before it'),
  'ticket-lifetime': {
    ...update,
    postfix: 'smtpd_tls_session_cache_timeout = 3600s',
  },
};

/** DNS is mended in the zone, whatever the server is. */
const byDomainSubject: Readonly<Record<string, string>> = {
  tlsaPresent: '_PORT._tcp.HOST. IN TLSA 3 1 1 DIGEST-OF-THE-KEY',
  tlsaUsable: '_PORT._tcp.HOST. IN TLSA 3 1 1 DIGEST-OF-THE-KEY',
  tlsaMatch: '_PORT._tcp.HOST. IN TLSA 3 1 1 DIGEST-OF-THE-KEY',
  tlsaRollover: '_PORT._tcp.HOST. IN TLSA 3 1 1 DIGEST-OF-THE-NEXT-KEY',
  denial: 'sign the zone anew; check it with: ldns-verify-zone ZONE.signed',
  dnssec: 'sign the zone and hand its DS record to the parent',
  mtaStsRecord: '_mta-sts.DOMAIN. IN TXT "v=STSv1; id=20260101"',
  mtaStsPolicy: 'serve https://mta-sts.DOMAIN/.well-known/mta-sts.txt as text/plain, with a valid certificate',
  mtaStsMode: 'mode: enforce',
  mtaStsMaxAge: 'max_age: 604800',
  mtaStsMaxAgeDay: 'max_age: 604800',
  mtaStsCover: 'mx: HOST',
  tlsRpt: '_smtp._tls.DOMAIN. IN TXT "v=TLSRPTv1; rua=mailto:tls-reports@DOMAIN"',
  caa: 'HOST. IN CAA 0 issue "AUTHORITY"',
};
