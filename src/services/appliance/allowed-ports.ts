/** Ports below 1024 that the services may have: SMTP, submission (RFC 6409, RFC 8314), those of Exchange. */
const wellKnown: ReadonlySet<number> = new Set([25, 465, 475, 587, 717]);

/** Which ports root binds for the services: those of mail, those that everyone may bind, and what `--allow-port` adds. */
export function allowedPorts(added: readonly number[] = []): (port: number) => boolean {
  return (port) => port >= 1024 || wellKnown.has(port) || added.includes(port);
}
