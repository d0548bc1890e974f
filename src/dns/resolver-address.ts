import { getServers } from 'node:dns';
import { isIP } from 'node:net';

/** Resolvers of the system, 'address' or 'address:port', in order. */
export function systemResolvers(): string[] {
  return getServers();
}

/** RFC 7672 §2.2 asks for a way to the resolver that nobody can change: loopback, or what the administrator declares. */
export function isTrustedResolver(resolver: string, declared: readonly string[] = []): boolean {
  const { address } = splitResolver(resolver);
  return (
    /^127\./.test(address) || address === '::1' || declared.some((other) => splitResolver(other).address === address)
  );
}

/** Throws RangeError for anything but an IP address with or without a port. */
export function splitResolver(text: string): { readonly address: string; readonly port: number } {
  if (isIP(text) !== 0) return { address: text, port: 53 };
  const [, bracketed, plain, port = '53'] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const address = bracketed ?? plain ?? '';
  if (isIP(address) === 0 || Number(port) > 65_535) throw new RangeError(`'${text}' is no address of a resolver`);
  return { address, port: Number(port) };
}
