/** What parameters of many cmdlets have in common: -Server, and those that are known by name only. */
import { badArgument, isObject, notImplemented, textsOf } from './parameter-values.ts';
import type { BoundParameters, CmdletContext } from './runtime.ts';

/** -Server by name, FQDN or DN, or a server object. Throws CmdletError for another server: each has queues of its own. */
export function requireThisServer(context: CmdletContext, bound: BoundParameters): void {
  for (const text of textsOf(bound, 'Server')) {
    const name = (/^CN=([^,]+),/i.exec(text)?.[1] ?? text).split('.')[0] ?? '';
    if ([context.serverName.toLowerCase(), 'localhost'].includes(name.toLowerCase())) continue;
    throw badArgument('Server', `'${text}' is not this server: queues are reached on ${context.serverName} only.`);
  }
}

/** `Get-TransportService | Get-Queue`: a server that came through the pipeline is the -Server, whatever it was bound to. */
export function withServer(bound: BoundParameters, parameter: string): BoundParameters {
  const object = bound.get(parameter);
  if (!isObject(object) || !/^(?:Transport(?:Service|Server)|ExchangeServer)$/.test(object.typeName)) return bound;
  return new Map([...[...bound].filter(([name]) => name !== parameter), ['Server', object]]);
}

/** Refuses parameters that are known and not built. */
export function refuseOthers(bound: BoundParameters, built: readonly string[]): void {
  for (const [name, value] of bound) {
    if (!built.includes(name)) throw notImplemented(`The parameter ${name}`);
    if (name === 'Identity' && isObject(value) && value.get('Identity') === null) {
      throw badArgument('Identity', `An object of type ${value.typeName} has no Identity.`);
    }
  }
}
