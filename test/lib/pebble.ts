/** Debian's ACME authority for tests, with its server of challenges. Nonces are rejected often, validations wait for nobody. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './ports.ts';
import { Daemon, listens } from './program.ts';
import { selfSigned } from './self-signed.ts';

export class Pebble implements AsyncDisposable {
  readonly directoryUrl: string;
  /** PEM of the certificate of its web server. */
  readonly authority: string;
  /** A hook program: it gives the answers to the server of challenges, and writes its arguments to `calls`. */
  readonly hook: string;
  readonly #folder: string;
  readonly #started: AsyncDisposableStack;

  private constructor(folder: string, port: number, started: AsyncDisposableStack) {
    this.#folder = folder;
    this.#started = started;
    this.directoryUrl = `https://localhost:${port}/dir`;
    this.authority = readFileSync(join(folder, 'localhost.crt'), 'utf8');
    this.hook = join(folder, 'hook');
  }

  /** `externalAccount`: who has no account of this key id and MAC key (base64url) gets none here. */
  static async start(externalAccount?: { readonly keyId: string; readonly key: string }): Promise<Pebble> {
    const folder = mkdtempSync(join(tmpdir(), 'edge-pebble-'));
    chmodSync(folder, 0o755);
    const [port, management, http, dns, answers] = [
      await freePort(),
      await freePort(),
      await freePort(),
      await freePort(),
      await freePort(),
    ];
    const { keyFile, certFile } = selfSigned(folder, 'localhost');
    const pebble = {
      listenAddress: `127.0.0.1:${port}`,
      managementListenAddress: `127.0.0.1:${management}`,
      certificate: certFile,
      privateKey: keyFile,
      httpPort: http,
      tlsPort: 5001,
      ocspResponderURL: '',
      externalAccountBindingRequired: externalAccount !== undefined,
      ...(externalAccount && { externalAccountMACKeys: { [externalAccount.keyId]: externalAccount.key } }),
    };
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ pebble }));
    writeFileSync(join(folder, 'hook'), hookScript(folder, answers), { mode: 0o755 });
    const environment = {
      ...process.env,
      PEBBLE_VA_NOSLEEP: '1',
      // The library tries six times: a request in 10,000 and more fails by this.
      PEBBLE_WFE_NONCEREJECT: '15',
      PEBBLE_AUTHZREUSE: '0',
    };
    await using started = new AsyncDisposableStack();
    started.defer(() => rmSync(folder, { recursive: true, force: true }));
    const config = ['-config', join(folder, 'config.json'), '-dnsserver', `127.0.0.1:${dns}`];
    started.use(await Daemon.start('pebble', config, { env: environment, up: () => listens(port) }));
    const challenges = [
      ...['-dns01', `127.0.0.1:${dns}`, '-http01', `127.0.0.1:${http}`, '-https01', '', '-tlsalpn01', ''],
      ...['-management', `127.0.0.1:${answers}`, '-defaultIPv6', ''],
    ];
    started.use(await Daemon.start('pebble-challtestsrv', challenges, { up: () => listens(answers) }));
    return new Pebble(folder, port, started.move());
  }

  /** What the hook was called with, one line each. */
  get calls(): readonly string[] {
    return readFileSync(join(this.#folder, 'calls'), 'utf8').trim().split('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#started.disposeAsync();
  }
}

/** The API of pebble-challtestsrv, by curl-less shell: Python comes with the other peers. */
function hookScript(folder: string, port: number): string {
  return `#!/usr/bin/python3
import json, sys, urllib.request
action, kind, name, answer = sys.argv[1:]
open('${folder}/calls', 'a').write(' '.join(sys.argv[1:4]) + '\\n')
if kind == 'http-01':
    path, body = ('add-http01', {'token': name.split('/')[1], 'content': answer})
else:
    path, body = ('set-txt', {'host': name + '.', 'value': answer})
if action == 'remove':
    path = {'add-http01': 'del-http01', 'set-txt': 'clear-txt'}[path]
urllib.request.urlopen('http://127.0.0.1:${port}/' + path, json.dumps(body).encode()).read()
`;
}
