/** What a server answers to one hello, as octets: the last word where two testers disagree. */
import { randomBytes } from 'node:crypto';
import type { Endpoint } from '../../../src/compliance/index.ts';
import { swiftManners } from '../../../src/compliance/index.ts';
import { Dialer } from '../../../src/compliance/probe/dialer.ts';
import { hello12, hello13 } from '../../../src/compliance/probe/hellos.ts';
import { clientHelloRecords, suitesOfVersion, type VersionName, versions } from '../../../src/tls/wire/index.ts';

/** A ServerHello with the suite, an alert, or how the connection ended; with the first octets. */
export async function answerTo(endpoint: Endpoint, version: VersionName, suite: string): Promise<string> {
  const codes = suitesOfVersion(versions[version])
    .filter(({ name }) => name === suite)
    .map(({ code }) => code);
  if (codes.length === 0) return `${suite} is no suite of that version in IANA's registry`;
  const dialer = new Dialer(endpoint, swiftManners, AbortSignal.timeout(20_000));
  using connection = await dialer.openForTls();
  const wishes = { host: endpoint.host, suites: codes };
  const {
    shares: _,
    toTickets: __,
    extensions,
    ...rest
  } = version === 'tls1_3' ? hello13(wishes) : hello12(versions[version], wishes);
  const list = extensions?.([]);
  connection.write(
    clientHelloRecords({ ...rest, random: randomBytes(32), ...(list === undefined ? {} : { extensions: list }) }),
  );
  const answer = await connection.read(20_000);
  if (typeof answer === 'string') return `${suite} alone: ${answer}`;
  const octets = answer.subarray(0, 11).toString('hex');
  const kind =
    answer[0] === 22 && answer[5] === 2 ? 'ServerHello' : answer[0] === 21 ? `alert ${answer[6]}` : 'something else';
  return `${suite} alone: ${kind} (${octets})`;
}
