/** One end of a connection, or a place to listen. */
export interface Endpoint {
  /** IPv4 or IPv6 address without brackets; as a place to listen, 0.0.0.0 and :: are all addresses of the family. */
  readonly address: string;
  readonly port: number;
}

/** 'address:port', IPv6 in brackets. */
export function formatEndpoint({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
