import { suiteTraits } from '../../tls/wire/index.ts';
import type { Fix } from './fix.ts';

/** Words of OpenSSL for the suites that are to go, with what they stand for in IANA's names. */
const classes: readonly (readonly [word: string, belongs: (name: string) => boolean])[] = [
  ['aNULL', (name) => suiteTraits(name).anonymous],
  ['eNULL', (name) => suiteTraits(name).nullCipher],
  ['EXPORT', (name) => suiteTraits(name).export],
  ['RC4', (name) => name.includes('_RC4_')],
  ['3DES', (name) => name.includes('_3DES_')],
  ['DES', (name) => /_DES_/.test(name)],
  ['kRSA', (name) => /^TLS_RSA_WITH_/.test(name)],
  ['PSK', (name) => suiteTraits(name).psk],
  ['CAMELLIA', (name) => name.includes('_CAMELLIA_')],
  ['ARIA', (name) => name.includes('_ARIA_')],
  ['SEED', (name) => name.includes('_SEED_')],
  ['kDHE', (name) => /^TLS_DHE_/.test(name)],
  ['AESCCM8', (name) => /_CCM_8/.test(name)],
  ['AESCCM', (name) => /_CCM/.test(name)],
  ['SHA1', (name) => /_SHA$/.test(name)],
  ['SHA256', (name) => /_CBC_SHA256$/.test(name)],
  ['SHA384', (name) => /_CBC_SHA384$/.test(name)],
  ['CHACHA20', (name) => name.includes('CHACHA20')],
];

/** So many names are written out; more would be a wall. */
const mostNamed = 3;

/** `evidence`: names of the suites that are too many, parted by commas; '' where some are missing. */
export function suiteFix(profile: string, evidence: string): Fix {
  const names = evidence.split(', ').filter((name) => name !== '');
  const words: string[] = [];
  let rest = names.filter((name) => name.includes('_WITH_'));
  for (const [word, belongs] of classes) {
    if (rest.some(belongs)) words.push(word);
    rest = rest.filter((name) => !belongs(name));
  }
  const shown = names.length > mostNamed ? [`${names[0] ?? ''}`, '…'] : names;
  const list = shown.map((name) => (name === '…' ? name : `'${name}'`)).join(', ');
  return {
    edge: `Set-ReceiveConnector NAME -TlsCipherProfile ${edgeProfile(profile)}`,
    exchange:
      names.length === 0
        ? 'Enable-TlsCipherSuite -Name TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'
        : `${list} | ForEach-Object { Disable-TlsCipherSuite -Name $_ }`,
    postfix:
      words.length > 0
        ? `smtpd_tls_exclude_ciphers = ${words.join(', ')}`
        : 'no setting but for TLS 1.2 and older: OpenSSL decides (Ciphersuites in openssl.cnf)',
  };
}

/** The one of Edge's cipher profiles that meets it. */
function edgeProfile(profile: string): string {
  if (profile.startsWith('bsi')) return 'bsi';
  if (profile.startsWith('nist')) return 'nist';
  return profile === 'mozilla-modern-6.0' ? 'modern' : 'intermediate';
}
