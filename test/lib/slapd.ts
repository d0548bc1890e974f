/** OpenLDAP's slapd in the foreground, for whoever brings its configuration. */
import { execFileSync } from 'node:child_process';
import { Daemon } from './program.ts';

export class SlapdProcess {
  #daemon: Daemon | undefined;

  get pid(): number {
    return this.#daemon?.pid ?? 0;
  }

  /** Resolves when it answers. `url`: 'ldap://127.0.0.1:port'. */
  async start(configuration: string, url: string): Promise<void> {
    this.#daemon = await Daemon.start('/usr/sbin/slapd', ['-d', '0', '-f', configuration, '-h', url], {
      up: () => answersLdap(url.split(' ')[0] ?? ''),
      upWithinMs: 60_000,
      asked: true,
    });
  }

  async stop(): Promise<void> {
    await this.#daemon?.[Symbol.asyncDispose]();
  }
}

/** Whether a server tells of itself. */
export function answersLdap(url: string): boolean {
  try {
    execFileSync('ldapsearch', ['-x', '-H', url, '-s', 'base', '-b', '', '1.1'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
