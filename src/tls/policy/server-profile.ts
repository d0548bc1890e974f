/**
 * What a listener offers in a handshake: versions, cipher suites, groups. TlsCipherProfile and TlsMinVersion of receive
 * connectors are additions. Sources: Mozilla's server-side TLS guidelines 6.0, BSI TR-02102-2, NIST SP 800-52r2.
 */

export type TlsCipherProfile = 'modern' | 'intermediate' | 'bsi' | 'nist';
export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/** In OpenSSL's terms, as `tls.createSecureContext` takes them. */
export interface ServerTlsSettings {
  readonly minVersion: TlsVersion;
  /** TLS 1.3 suites by their IANA name and TLS 1.2 suites by OpenSSL's. */
  readonly ciphers: string;
  /** Groups in order of preference. */
  readonly ecdhCurve: string;
  /** The server's order of suites counts. */
  readonly honorCipherOrder: boolean;
}

const aeadByEcdhe = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
];
const chaCha = ['ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305'];
const aes13 = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384'];
const postQuantum = ['X25519MLKEM768', 'X25519', 'prime256v1', 'secp384r1'];

interface Profile {
  readonly minVersion: TlsVersion;
  readonly suites: readonly string[];
  readonly groups: readonly string[];
}

const profiles: Readonly<Record<TlsCipherProfile, Profile>> = {
  modern: { minVersion: 'TLSv1.3', suites: [...aes13, 'TLS_CHACHA20_POLY1305_SHA256'], groups: postQuantum },
  intermediate: {
    minVersion: 'TLSv1.2',
    suites: [...aes13, 'TLS_CHACHA20_POLY1305_SHA256', ...aeadByEcdhe, ...chaCha],
    groups: postQuantum,
  },
  // TR-02102-2 lists neither ChaCha20 nor X25519 by itself; the hybrid group is recommended by TR-02102-1.
  bsi: {
    minVersion: 'TLSv1.2',
    suites: [...aes13, ...aeadByEcdhe],
    groups: ['prime256v1', 'secp384r1', 'brainpoolP256r1', 'brainpoolP384r1', 'secp521r1'],
  },
  nist: { minVersion: 'TLSv1.2', suites: [...aes13, ...aeadByEcdhe], groups: ['prime256v1', 'secp384r1', 'secp521r1'] },
};

/** The profile's own least version unless a higher one is asked for; without a profile: intermediate. */
export function serverTlsSettings(profile: TlsCipherProfile | null, minVersion: TlsVersion | null): ServerTlsSettings {
  const { minVersion: own, suites, groups } = profiles[profile ?? 'intermediate'];
  return {
    minVersion: own === 'TLSv1.3' ? own : (minVersion ?? own),
    ciphers: suites.join(':'),
    ecdhCurve: groups.join(':'),
    honorCipherOrder: profile !== null && profile !== 'modern',
  };
}
