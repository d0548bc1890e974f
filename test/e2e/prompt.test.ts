import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { displayWidth } from '../../src/shell/format/layout.ts';
import { Appliance, edgeCommand, edge as edgeRun, eventually, serverName } from '../lib/appliance.ts';
import { needs } from '../lib/peers.ts';

/** A terminal of a size with the prompt in it, as a person has it. */
class TerminalWindow implements Disposable {
  readonly #socket: string;

  /** `before` stands before the command, `args` behind it. */
  constructor(edge: Appliance, columns: number, { before = '', args = '' } = {}) {
    this.#socket = join(edge.state, '..', `tmux-${randomUUID()}`);
    const home = join(edge.state, '..');
    const shell = `HOME=${home} XDG_STATE_HOME= ${before} ${edgeCommand} shell --state ${edge.state} ${args}`;
    this.#tmux(
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      '-x',
      String(columns),
      '-y',
      '24',
      `${shell}; echo "status $?"; cat`,
    );
  }

  keys(...keys: string[]): void {
    this.#tmux('send-keys', ...keys);
  }

  type(text: string): void {
    this.#tmux('send-keys', '-l', '--', text);
  }

  /** As a terminal pastes what was copied: in one piece, with marks around it (bracketed paste). */
  paste(text: string): void {
    this.#tmux('set-buffer', text);
    this.#tmux('paste-buffer', '-p');
  }

  resize(columns: number): void {
    this.#tmux('resize-window', '-x', String(columns), '-y', '24');
  }

  /**
   * The program has drawn all that it had to: it sleeps, and for some looks has used no processor. A window whose size changes
   * within a draw folds its first half by the old width and its second by the new one, which no program can put right.
   */
  async rests(): Promise<void> {
    const pane = this.#tmux('display-message', '-p', '#{pane_pid}').trim();
    const program = readFileSync(`/proc/${pane}/task/${pane}/children`, 'utf8').trim().split(' ')[0] ?? pane;
    let [before, quiet] = ['', 0];
    await eventually('the program sleeps', () => {
      // `pid (name) state …`: the state, and the processor time of user and system.
      const fields = readFileSync(`/proc/${program}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ');
      const now = `${fields[0]} ${fields[11]} ${fields[12]}`;
      quiet = now === before && now.startsWith('S') ? quiet + 1 : 0;
      before = now;
      return quiet >= 12;
    });
  }

  /** Column of the cursor. */
  get column(): number {
    return Number(this.#tmux('display-message', '-p', '#{cursor_x}'));
  }

  /** Rows that have gone into the history of the terminal. */
  get scrolled(): number {
    return Number(this.#tmux('display-message', '-p', '#{history_size}'));
  }

  get text(): string {
    return this.#tmux('capture-pane', '-p').trimEnd();
  }

  /** The screen, and what has scrolled off its top: a window that is resized may push rows there. */
  get all(): string {
    return this.#tmux('capture-pane', '-p', '-S', '-').trimEnd();
  }

  /** The same with the rows put together that the terminal itself has folded. */
  get unfolded(): string {
    return this.#tmux('capture-pane', '-p', '-J', '-S', '-').replaceAll(/ +$/gm, '').trimEnd();
  }

  /** What the program writes from now on is in the file too, with its escape sequences. */
  record(path: string): void {
    this.#tmux('pipe-pane', `cat > ${path}`);
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
    return execFileSync('tmux', ['-u', '-S', this.#socket, ...args], { encoding: 'utf8' });
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

  test('several lines that are pasted wait for Enter, without an empty row behind them', async () => {
    using window = new TerminalWindow(edge, 80);
    await window.shows(/>$/);
    window.paste("'first'\n'sec' + 'ond'\n");
    await window.shows(/^>> 'sec' \+ 'ond'$/m);
    assert.doesNotMatch(window.text, /^first$/m);
    window.keys('Enter');
    await window.shows(/'ond'\nfirst\nsecond\n/);
  });

  test('a long line with wide characters keeps its place while the window changes', async () => {
    using window = new TerminalWindow(edge, 80);
    await window.shows(/>$/);
    window.type("'ab' + 'ove'");
    window.keys('Enter');
    await window.shows(/^above\n\[PS\]/m);
    const line = `'${'漢字a👍b'.repeat(14)}end'`;
    window.type(line);
    await window.shows(/end'$/m);
    for (const columns of [61, 120, 80]) {
      await window.rests();
      window.resize(columns);
      // Nothing is lost or doubled, neither of the line nor above it, and the cursor stands behind the last character.
      await eventually(`the line at ${columns} columns`, () => {
        const { all, unfolded, column } = window;
        const shown = all.split('\n').slice(all.split('\n').indexOf('above'));
        const isDrawnAnew = all === unfolded && displayWidth(shown[1] ?? '') >= columns - 1;
        const isWhole = shown.join('') === `above[PS] ${serverName()}> ${line}`;
        return isDrawnAnew && isWhole && column === displayWidth(shown.at(-1) ?? '');
      }).catch((error: Error) => {
        throw new Error(`${error.message}\n${window.all}\n${window.column}`);
      });
    }
    window.keys('Enter');
    await window.shows(/end\n\[PS\]/);
  });

  test('keys leave nothing in the history of the terminal, even in its first row', async () => {
    using window = new TerminalWindow(edge, 80);
    await window.shows(/>$/);
    for (const char of 'Get-Acc') {
      window.type(char);
      await window.shows(new RegExp(`${char}`));
    }
    await window.shows(/Get-AcceptedDomain/);
    assert.equal(window.scrolled, 0);
  });

  test('Ctrl-C gives a line up, whatever is shown below it', async () => {
    using window = new TerminalWindow(edge, 80);
    await window.shows(/>$/);
    window.type('Get-ReceiveConnector -');
    window.keys('Tab');
    await window.shows(/-Identity/);
    window.keys('Tab');
    await window.shows(/1\/\d/);
    window.keys('C-c');
    await window.shows(/Connector -\^C\n\[PS\] \S+> *$/);
    window.type("'next'");
    window.keys('C-r');
    await window.shows(/search:/);
    window.keys('C-c');
    await window.shows(/'next'\^C\n\[PS\] \S+> *$/);
  });

  test('Ctrl-Z where nobody can go on does nothing', async () => {
    using window = new TerminalWindow(edge, 80);
    await window.shows(/>$/);
    const path = join(edge.state, '../suspended');
    window.record(path);
    window.keys('C-z');
    // The terminal is given back, and taken again.
    await eventually('the prompt again', () => existsSync(path) && /2004l[^]*2004h/.test(readFileSync(path, 'latin1')));
    window.keys('C-c');
    await window.shows(/\^C\n\[PS\] \S+> *$/);
    window.type("'alive'");
    window.keys('Enter');
    await window.shows(/^alive$/m);
  });

  test('a terminal that can only print gets nothing else', async () => {
    using window = new TerminalWindow(edge, 80, { before: 'TERM=dumb' });
    await window.shows(/>$/);
    window.type('if ($true) {');
    window.keys('Enter');
    await window.shows(/^>>/m);
    window.type("'seen ' + 42 }");
    window.keys('Enter');
    await window.shows(/^seen 42$/m);
    window.type('Remove-AcceptedDomain Corp -Confirm');
    window.keys('Enter');
    await window.shows(/default is "Y"|is the default domain/);
    window.keys('C-c');
    await window.shows(/No answer was given[^]*> *$/);
    window.type('Start-Sleep 600');
    window.keys('Enter');
    await window.shows(/Start-Sleep 600/);
    window.keys('C-c');
    await window.shows(/has been stopped/);
    window.type('exit 5');
    window.keys('Enter');
    await window.shows(/^status 5$/m);
  });

  test('questions of lines without a prompt: a secret is not shown, Ctrl-C is status 130', async () => {
    const args = `-c 'Read-Host Name' -c '(Read-Host Pw -AsSecureString).Length' -c 'Read-Host Again'`;
    using window = new TerminalWindow(edge, 80, { args });
    await window.shows(/^Name: *$/m);
    window.type('Anne');
    window.keys('Enter');
    await window.shows(/^Pw: *$/m);
    window.type('hunter2');
    window.keys('Enter');
    await window.shows(/^7$[^]*^Again: *$/m);
    assert.doesNotMatch(window.text, /hunter/);
    window.keys('C-c');
    await window.shows(/No answer was given[^]*^status 130$/m);
  });

  test('a reader that leaves ends its line and not the service', async () => {
    const script = join(edge.state, '../many.ps1');
    writeFileSync(script, 'Get-Nope\n'.repeat(3000));
    execFileSync('sh', ['-c', `${edgeCommand} shell --state ${edge.state} ${script} 2>&1 | head -1`]);
    const { processes } = JSON.parse((await edgeRun('status', '--state', edge.state, '--json')).out) as {
      processes: { restarts: number }[];
    };
    assert.ok(processes.length > 0 && processes.every(({ restarts }) => restarts === 0));
  });
});
