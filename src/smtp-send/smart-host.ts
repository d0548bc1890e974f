import { isIP } from 'node:net';

/** A smart host as an administrator wrote it. */
export interface SmartHost {
  /** Name, or address without brackets. */
  readonly host: string;
  readonly isAddress: boolean;
  readonly port: number;
}

const smartHostPattern = /^(?:\[(?:IPv6:)?([^\]]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/i;

/** Reads `[10.0.0.1]`, `[2001:db8::1]:2525`, `hub.example.com`, `hub.example.com:2525`, `10.0.0.1`. Throws RangeError. */
export function parseSmartHost(text: string, defaultPort: number): SmartHost {
  const trimmed = text.trim();
  if (isIP(trimmed) !== 0) return { host: trimmed, isAddress: true, port: defaultPort };
  const match = smartHostPattern.exec(trimmed);
  const [, literal, name, port] = match ?? [];
  const host = literal ?? name;
  if (host === undefined || (literal !== undefined && isIP(literal) === 0)) {
    throw new RangeError(`'${text}' is not a smart host such as hub.example.com, [192.0.2.1] or [192.0.2.1]:2525`);
  }
  const number = port === undefined ? defaultPort : Number(port);
  if (number < 1 || number > 65_535) throw new RangeError(`'${text}': ${number} is not a port`);
  return { host, isAddress: isIP(host) !== 0, port: number };
}
