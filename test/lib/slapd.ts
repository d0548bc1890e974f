/** OpenLDAP's slapd in the foreground, for whoever brings its configuration. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { eventually } from './appliance.ts';

export class SlapdProcess {
  #child: ChildProcess | undefined;

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Resolves when it answers. `url`: 'ldap://127.0.0.1:port'. */
  async start(configuration: string, url: string): Promise<void> {
    this.#child = spawn('/usr/sbin/slapd', ['-d', '0', '-f', configuration, '-h', url], { stdio: 'ignore' });
    await eventually('slapd answers', () => {
      try {
        execFileSync('ldapsearch', ['-x', '-H', url, '-s', 'base', '-b', '', '1.1'], { stdio: 'ignore' });
        return true;
      } catch {
        return false;
      }
    });
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }
}
