import { randomBytes } from 'node:crypto';
import { readSsl2ServerHello, ssl2ClientHello, versions } from '../../tls/wire/index.ts';
import { type Answer, notTested, type ProtocolName, protocolNames } from '../facts/facts.ts';
import { chunksOf, isFiniteField, suitesByRarity } from '../facts/suite-lists.ts';
import { Unreachable, Untested } from '../facts/untested.ts';
import type { Bracket } from './bracket.ts';
import type { Dialer } from './dialer.ts';
import type { HelloOffer } from './hello-exchange.ts';
import { hello12, hello13 } from './hellos.ts';

/**
 * Which versions of the protocol the endpoint takes. Newest first until one is taken, so that a control hello is found early;
 * then from the oldest on, so that most endpoints take the last one, which confirms the refusals before it.
 */
export async function probeProtocols(
  bracket: Bracket,
  dialer: Dialer,
  host: string | undefined,
): Promise<Record<ProtocolName, Answer>> {
  const found: Partial<Record<ProtocolName, Answer>> = {};
  const refused: ProtocolName[] = [];
  const run = async (): Promise<void> => {
    let left: readonly ProtocolName[] = protocolNames;
    for (;;) {
      const name = bracket.hasControl ? left[0] : left.at(-1);
      if (name === undefined) return;
      left = left.filter((one) => one !== name);
      try {
        if (await offers(name, bracket, dialer, host)) found[name] = 'offered';
        else refused.push(name);
      } catch (error) {
        if (!(error instanceof Untested)) throw error;
        const same = error instanceof Unreachable && !bracket.hasControl;
        for (const one of same ? protocolNames : [name]) found[one] ??= notTested(error.message);
        if (same) return;
      }
    }
  };
  let answer: Answer = 'not-offered';
  try {
    await bracket.between(run);
  } catch (error) {
    if (!(error instanceof Untested)) throw error;
    answer = notTested(error.message);
  }
  for (const name of refused) found[name] = answer;
  return found as Record<ProtocolName, Answer>;
}

async function offers(
  name: ProtocolName,
  bracket: Bracket,
  dialer: Dialer,
  host: string | undefined,
): Promise<boolean> {
  if (name === 'ssl2') {
    bracket.noteRefusal();
    return offersSsl2(dialer);
  }
  const version = versions[name];
  for (const offer of name === 'tls1_3' ? [hello13({ host })] : olderOffers(version, host)) {
    const answer = await bracket.ask(offer);
    if (answer.kind === 'accepted') return answer.flight.hello?.version === version;
    // The version itself is refused: no other suite changes that.
    if (answer.how === 'alert protocol_version') return false;
  }
  return false;
}

/** All suites of the version. A server that was given no finite field may choose one that needs it, and break off. */
function olderOffers(version: number, host: string | undefined): HelloOffer[] {
  const codes = suitesByRarity(version);
  const parts = [codes.filter((code) => !isFiniteField(code)), codes.filter(isFiniteField)];
  return parts.flatMap(chunksOf).map((suites) => hello12(version, { host, suites }));
}

async function offersSsl2(dialer: Dialer): Promise<boolean> {
  return dialer.untilClear(async () => {
    using connection = await dialer.openForTls();
    connection.write(ssl2ClientHello(randomBytes(16)));
    let octets = Buffer.alloc(0);
    for (;;) {
      const read = await connection.read(dialer.manners.stepMs);
      if (read === 'end') return false;
      if (read === 'reset') throw new Untested('reset after the hello of SSL 2.0');
      if (read === 'silence')
        throw new Untested(`silent for ${dialer.manners.stepMs / 1000} s after the hello of SSL 2.0`);
      octets = Buffer.concat([octets, read]);
      try {
        const hello = readSsl2ServerHello(octets);
        if (hello !== undefined) return true;
      } catch (error) {
        // An alert of TLS or anything else is a refusal, as a control hello after it shows.
        if (error instanceof RangeError) return false;
        throw error;
      }
    }
  });
}
