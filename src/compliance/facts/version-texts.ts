/** Names of protocol versions as people write them, by those of the facts. Windows' registry has the same. */
export const versionTexts: Readonly<Record<string, string>> = {
  ssl2: 'SSL 2.0',
  ssl3: 'SSL 3.0',
  tls1_0: 'TLS 1.0',
  tls1_1: 'TLS 1.1',
  tls1_2: 'TLS 1.2',
  tls1_3: 'TLS 1.3',
};
