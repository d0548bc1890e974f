/** For each kind of miss the line that mends it: for Edge, Exchange and Postfix. */
import type { Rule } from '../profile.ts';

export interface Fix {
  readonly edge: string;
  readonly exchange: string;
  readonly postfix: string;
}

const schannel = (protocol: string): string =>
  `New-ItemProperty 'HKLM:\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\${protocol}\\Server' -Name Enabled -Value 0 -PropertyType DWord`;

const certificate: Fix = {
  edge: "New-ExchangeCertificate -GenerateRequest -KeyAlgorithm EC … ; Set-ReceiveConnector NAME -TlsCertificateName '<I>…<S>…'",
  exchange:
    'New-ExchangeCertificate -GenerateRequest -KeySize 3072 … ; Enable-ExchangeCertificate THUMBPRINT -Services SMTP',
  postfix: 'smtpd_tls_chain_files = /etc/postfix/key-and-chain.pem',
};

const suites: Fix = {
  edge: 'Set-ReceiveConnector NAME -TlsCipherProfile modern',
  exchange: 'Disable-TlsCipherSuite -Name SUITE',
  postfix: 'smtpd_tls_mandatory_ciphers = high, tls_preempt_cipherlist = yes, smtpd_tls_exclude_ciphers = …',
};

const versions: Fix = {
  edge: 'Set-ReceiveConnector NAME -TlsMinVersion 1.2',
  exchange: schannel('TLS 1.0'),
  postfix: 'smtpd_tls_protocols = >=TLSv1.2, smtpd_tls_mandatory_protocols = >=TLSv1.2',
};

const starttls: Fix = {
  edge: 'Set-ReceiveConnector NAME -AuthMechanism Tls',
  exchange: 'Set-ReceiveConnector NAME -AuthMechanism Tls',
  postfix: 'smtpd_tls_security_level = may',
};

const authInClear: Fix = {
  edge: 'Set-ReceiveConnector NAME -AuthMechanism Tls, BasicAuth, BasicAuthRequireTLS',
  exchange: 'Set-ReceiveConnector NAME -AuthMechanism Tls, BasicAuth, BasicAuthRequireTLS',
  postfix: 'smtpd_tls_auth_only = yes',
};

const field: Fix = {
  edge: 'Set-ReceiveConnector NAME -TlsCipherProfile modern',
  exchange: 'Disable-TlsCipherSuite -Name TLS_DHE_RSA_WITH_AES_256_GCM_SHA384',
  postfix: 'smtpd_tls_dh1024_param_file = /etc/postfix/ffdhe3072.pem, or smtpd_tls_exclude_ciphers = kDHE',
};

const groups: Fix = {
  edge: 'Set-ReceiveConnector NAME -TlsCipherProfile bsi',
  exchange: 'Enable-TlsEccCurve -Name NistP256',
  postfix: 'tls_eecdh_auto_curves = X25519 prime256v1 secp384r1',
};

const compression: Fix = {
  edge: 'no setting: Edge never compresses and never takes a renegotiation of the client',
  exchange: 'no setting: install the current updates of Windows',
  postfix: 'tls_ssl_options = NO_COMPRESSION, NO_RENEGOTIATION',
};

const byCheck: Readonly<Record<string, Fix>> = {
  protocol: versions,
  key: certificate,
  chain: certificate,
  'chain-signature': certificate,
  'leaf-signature': certificate,
  lifetime: certificate,
  'public-lifetime': certificate,
  expiry: certificate,
  order: { ...suites, edge: 'no setting: Edge prefers its own order' },
  'finite-field': field,
  feature: compression,
};

/** DNS is mended in the zone, whatever the server is. */
const zone = (line: string): Fix => ({ edge: line, exchange: line, postfix: line });

const byDomainSubject: Readonly<Record<string, string>> = {
  tlsaPresent: '_25._tcp.HOST. IN TLSA 3 1 1 DIGEST-OF-THE-KEY',
  tlsaUsable: '_25._tcp.HOST. IN TLSA 3 1 1 DIGEST-OF-THE-KEY',
  tlsaMatch: '_25._tcp.HOST. IN TLSA 3 1 1 DIGEST-OF-THE-KEY',
  tlsaRollover: '_25._tcp.HOST. IN TLSA 3 1 1 DIGEST-OF-THE-NEXT-KEY',
  denial: 'sign the zone anew; check it with: ldns-verify-zone ZONE.signed',
  dnssec: 'sign the zone and hand its DS record to the parent',
  mtaStsRecord: '_mta-sts.DOMAIN. IN TXT "v=STSv1; id=20260101"',
  mtaStsPolicy: 'serve https://mta-sts.DOMAIN/.well-known/mta-sts.txt as text/plain, with a valid certificate',
  mtaStsMode: 'mode: enforce',
  mtaStsMaxAge: 'max_age: 604800',
  mtaStsCover: 'mx: HOST',
  tlsRpt: '_smtp._tls.DOMAIN. IN TXT "v=TLSRPTv1; rua=mailto:tls-reports@DOMAIN"',
  caa: 'HOST. IN CAA 0 issue "AUTHORITY"',
};

/** The lines for a rule that was missed; undefined where there is nothing to set. */
export function fixFor(rule: Pick<Rule, 'check' | 'subject'>): Fix | undefined {
  const { check, subject = '' } = rule;
  if (check === 'domain') {
    const line = byDomainSubject[subject];
    return line === undefined ? undefined : zone(line);
  }
  if (check === 'mail') return subject === 'authBeforeTls' ? authInClear : starttls;
  if (['list', 'any', 'all'].includes(check)) {
    if (subject.startsWith('cipherSuites')) return suites;
    return subject.startsWith('groups') ? groups : certificate;
  }
  if (check === 'feature' && subject === 'earlyData') {
    return {
      edge: 'no setting: Edge takes no early data',
      exchange: 'no setting: Exchange takes no early data',
      postfix: 'no setting: update OpenSSL and Postfix',
    };
  }
  return byCheck[check];
}
