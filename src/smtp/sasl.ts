/** SASL as text: what a client answers to AUTH. RFC 4954 §4, RFC 4616 (PLAIN), draft-murchison-sasl-login (LOGIN). */

/** A name and a password, as they are compared. */
export interface Credentials {
  readonly name: string;
  readonly password: string;
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The octets as UTF-8 text; undefined for what is no base64 (RFC 4648 §4) or no UTF-8. '=' stands for nothing (RFC 4954 §4). */
export function decodeSaslText(line: string): string | undefined {
  if (line === '=') return '';
  if (!base64.test(line)) return undefined;
  const octets = Buffer.from(line, 'base64');
  const text = octets.toString();
  return Buffer.from(text).equals(octets) ? text : undefined;
}

/** Characters of a name and of a password that are looked at. */
const longestName = 256;
const longestPassword = 1024;

/** Undefined for what nobody can have: empty or very long parts, controls in the name. */
export function credentials(name: string, password: string): Credentials | undefined {
  if (name === '' || name.length > longestName || /[\0-\x1f\x7f]/.test(name)) return undefined;
  return password === '' || password.length > longestPassword ? undefined : { name, password };
}

/** RFC 4616 §2: `[authzid] NUL authcid NUL passwd`. Undefined as well when somebody else is to be acted for. */
export function plainCredentials(message: string): Credentials | undefined {
  const parts = message.split('\0');
  const [actFor = '', name = '', password = ''] = parts;
  if (parts.length !== 3 || (actFor !== '' && actFor !== name)) return undefined;
  return credentials(name, password);
}
