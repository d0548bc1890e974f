import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Appliance, edgeCommand, eventually, serverName } from '../lib/appliance.ts';
import { needs } from '../lib/peers.ts';

/** A terminal of a size with the prompt in it, as a person has it. */
class TerminalWindow implements Disposable {
  readonly #socket: string;

  constructor(edge: Appliance, columns: number) {
    this.#socket = join(edge.state, '..', `tmux-${randomUUID()}`);
    const home = join(edge.state, '..');
    const line = `HOME=${home} XDG_STATE_HOME= ${edgeCommand} shell --state ${edge.state}; echo "status $?"; cat`;
    this.#tmux('-f', '/dev/null', 'new-session', '-d', '-x', String(columns), '-y', '24', line);
  }

  keys(...keys: string[]): void {
    this.#tmux('send-keys', ...keys);
  }

  type(text: string): void {
    this.#tmux('send-keys', '-l', '--', text);
  }

  get text(): string {
    return this.#tmux('capture-pane', '-p').trimEnd();
  }

  async shows(what: RegExp): Promise<string> {
    await eventually(`${what.source} on the screen`, () => what.test(this.text)).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.text}`);
    });
    return this.text;
  }

  [Symbol.dispose](): void {
    this.#tmux('kill-server');
  }

  #tmux(...args: string[]): string {
    return execFileSync('tmux', ['-S', this.#socket, ...args], { encoding: 'utf8' });
  }
}

describe('the prompt in a terminal', needs('tmux'), () => {
  let edge: Appliance;
  before(async () => {
    edge = await Appliance.start({ workers: 1, lines: ['New-AcceptedDomain -Name Corp -DomainName corp.example'] });
  });
  after(async () => edge?.[Symbol.asyncDispose]());

  for (const columns of [80, 200]) {
    test(`completion, a table, multi-line editing and exit at ${columns} columns`, async () => {
      using window = new TerminalWindow(edge, columns);
      await window.shows(new RegExp(`^\\[PS\\] ${serverName()}>`));
      window.type('Get-AcceptedD');
      window.keys('Tab');
      await window.shows(/Get-AcceptedDomain/);
      window.type('-Id');
      window.keys('Tab');
      await window.shows(/-Identity/);
      window.type('Co');
      window.keys('Tab');
      await window.shows(/-Identity Corp/);
      window.keys('Enter');
      await window.shows(/corp\.example/);
      window.type('if ($true) {');
      window.keys('Enter');
      await window.shows(/^>>/m);
      window.type("'seen ' + 42 }");
      window.keys('Enter');
      await window.shows(/^seen 42$/m);
      window.type('exit 3');
      window.keys('Enter');
      await window.shows(/^status 3$/m);
    });
  }

  test('the history is found again, searched, and readable by its owner alone', async () => {
    {
      using window = new TerminalWindow(edge, 80);
      await window.shows(/>$/);
      window.type("'needle' + 1");
      window.keys('Enter');
      await window.shows(/^needle1$/m);
      window.type('exit');
      window.keys('Enter');
      await window.shows(/^status 0$/m);
    }
    const path = join(edge.state, '../.local/state/edge-shell/history');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.match(readFileSync(path, 'utf8'), /needle/);
    using window = new TerminalWindow(edge, 80);
    await window.shows(/>$/);
    window.keys('C-r');
    await window.shows(/search:/);
    window.type('needl');
    await window.shows(/'needle' \+ 1/);
    window.keys('Enter');
    await window.shows(/^needle1$/m);
  });

  test('long output waits at each screen; Q ends it; Ctrl-C stops a line; Ctrl-D leaves', async () => {
    using window = new TerminalWindow(edge, 80);
    await window.shows(/>$/);
    window.type('1..100');
    window.keys('Enter');
    await window.shows(/-- More --/);
    window.keys('q');
    await window.shows(/> *$/);
    assert.doesNotMatch(window.text, /^100$/m);
    window.type('foreach ($i in 1..9000000) { $x = $i }');
    window.keys('Enter');
    await window.shows(/Working .* Ctrl-C stops/);
    window.keys('C-c');
    await window.shows(/\^C[^]*> *$/);
    window.keys('C-d');
    await window.shows(/^status \d$/m);
  });
});
