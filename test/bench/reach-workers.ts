/** How long a change of the directory takes to be in force in every worker. */
import { DirectoryClient } from '../../src/directory/index.ts';
import { ManagementClient } from '../../src/management/client/index.ts';
import { statePaths } from '../../src/processes/index.ts';

interface Report {
  readonly usn: number;
  readonly workers: readonly { readonly configuration?: { readonly usn: number } }[];
}

/** Milliseconds from sending a change over LDAP until every worker has it, for so many changes one after the other. */
export async function changeReachesWorkers(state: string, changes: number): Promise<number[]> {
  const paths = statePaths(state);
  await using client = new DirectoryClient({
    url: `ldapi://${encodeURIComponent(`${paths.run}/ldapi`)}`,
    bind: 'external',
  });
  using management = await ManagementClient.connect(paths);
  const connector = await receiveConnector(client);
  const times: number[] = [];
  for (let i = 0; i < changes; i++) {
    const before = (await report(management)).usn;
    const start = performance.now();
    await client.modify(connector, [
      { operation: 'replace', attribute: 'adminDescription', values: [Buffer.from(`change ${i}`)] },
    ]);
    for (;;) {
      const { workers } = await report(management);
      if (workers.length > 0 && workers.every(({ configuration }) => (configuration?.usn ?? 0) > before)) break;
      if (performance.now() - start > 10_000) throw new Error('a change did not reach every worker within 10 s');
    }
    times.push(performance.now() - start);
  }
  return times;
}

const report = async (management: ManagementClient): Promise<Report> =>
  (await management.call('status', undefined)) as Report;

async function receiveConnector(client: DirectoryClient): Promise<string> {
  for await (const { dn } of client.search({
    base: '',
    scope: 'sub',
    filter: '(objectClass=msExchSmtpReceiveConnector)',
  }))
    return dn;
  throw new Error('there is no receive connector');
}
