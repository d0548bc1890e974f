/**
 * Mutation tests of one pure room (Stryker): `make mutate ROOM=smtp`. Incremental: what neither the sources nor the tests changed is
 * not tried again. The list of survivors is printed, and kept as JSON beside the incremental file.
 */

import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';

/** What is mutated, and the tests that should notice. */
const rooms = {
  smtp: { mutate: ['src/smtp/**/*.ts'], tests: ['test/smtp/*.test.ts'] },
  tls: { mutate: ['src/tls/!(wire)/*.ts'], tests: ['test/tls/*.test.ts'] },
  mail: { mutate: ['src/mail/**/*.ts'], tests: ['test/mail/**/*.test.ts'] },
  // Rows of property tables are data, and each is tried by test/config/properties: what reads and judges them is mutated.
  config: {
    mutate: ['acl-syntax', 'access-control', 'accepted-domain-table', 'balancers', 'codec', 'connector-conflict', 'network-syntaxes']
      .concat(['object-table', 'open-relay', 'permission-groups', 'principals', 'receive-connector-rules', 'send-connector-rules'])
      .concat(['send-rights', 'smart-host', 'snapshot-builder', 'syntaxes'])
      .map((name) => `src/config/**/${name}.ts`),
    tests: ['test/config/*.test.ts'],
  },
  choice: {
    mutate: ['src/smtp-receive/connector/connector-choice.ts', 'src/smtp-receive/connector/range-index.ts', 'src/base/ip-range.ts'],
    tests: ['test/smtp-receive/connector-choice.test.ts', 'test/base/ip-range.test.ts'],
  },
  rights: {
    mutate: ['src/smtp-receive/rights/session-rights.ts', 'src/smtp-receive/rights/principal.ts', 'src/config/rights/access-control.ts'],
    tests: ['test/smtp-receive/session-rights.test.ts', 'test/config/access-control.test.ts'],
  },
  routing: {
    mutate: ['src/categorizer/routing-table.ts', 'src/smtp-send/transaction/envelope-plan.ts'],
    tests: ['test/categorizer/routing-table.test.ts', 'test/smtp-send/envelope-plan.test.ts'],
  },
  queue: {
    mutate: ['src/queue/dispatch/retry-plan.ts', 'src/queue/settlement/outcome-rules.ts', 'src/queue/table/time-heap.ts', 'src/queue/table/rate-meter.ts'],
    tests: ['test/queue/parts.test.ts', 'test/queue/outcome-rules.test.ts'],
  },
};

/** Tests that hold a time: instrumented code is slower, so that they fail in every run. Left out here, and here alone. Patterns without a blank: the runner cuts there. */
const timed = ['/hostile.lengths.cost.no.more/'];

const name = process.env['ROOM'] ?? 'smtp';
/** Lines of the room that are tried, in pieces drawn at random (SEED): where all of it takes too long. Absent: all. */
const sample = process.env['SAMPLE'];
const room = rooms[name];
if (room === undefined) throw new Error(`ROOM is one of ${Object.keys(rooms).join(', ')}`);

/** Pieces of ten lines, so many lines in all, as `file:from-to`. */
function piecesOf(patterns, lines, seed) {
  const files = patterns.flatMap((pattern) => globSync(pattern)).filter((file) => !file.endsWith('/index.ts'));
  const pieces = files.flatMap((file) => {
    const length = readFileSync(file, 'utf8').split('\n').length;
    return Array.from({ length: Math.ceil(length / 10) }, (_, i) => `${file}:${i * 10 + 1}-${Math.min(length, i * 10 + 10)}`);
  });
  const drawn = pieces.toSorted((a, b) => (digestOf(seed, a) < digestOf(seed, b) ? -1 : 1));
  return drawn.slice(0, Math.ceil(lines / 10));
}

function digestOf(seed, text) {
  return createHash('sha256').update(`${seed} ${text}`).digest('hex');
}

export default {
  testRunner: 'tap',
  plugins: ['@stryker-mutator/tap-runner'],
  packageManager: 'npm',
  mutate: sample === undefined ? room.mutate : piecesOf(room.mutate, Number(sample), Number(process.env['SEED'] ?? 1)),
  tap: {
    testFiles: room.tests,
    nodeArgs: [
      ...['--disable-warning=ExperimentalWarning', '--test-reporter=tap'],
      ...timed.map((title) => `--test-skip-pattern=${title}`),
      ...['-r', '{{hookFile}}', '{{testFile}}'],
    ],
    forceBail: true,
  },
  // There is none of that name: what Stryker would adapt in ours concerns compiling, which nothing here does, and asks for TypeScript 6.
  tsconfigFile: 'none.json',
  // The sandbox lies beside the sources: what they read by relative paths is where it was.
  tempDirName: '.stryker',
  ignorePatterns: ['.git', '.edge', '.bench', '.mutation', 'README.md'],
  coverageAnalysis: 'perTest',
  // What runs at import is tried by every test file: a sample leaves it out.
  ignoreStatic: sample !== undefined,
  incremental: true,
  incrementalFile: `.mutation/${name}.json`,
  reporters: ['clear-text', 'json'],
  clearTextReporter: { logTests: false, allowColor: false, allowEmojis: false, reportScoreTable: true },
  jsonReporter: { fileName: `.mutation/${name}-report.json` },
  concurrency: Number(process.env['CONCURRENCY'] ?? 2),
  timeoutMS: 20_000,
  // Texts of errors are no behaviour that a test should hold word for word.
  mutator: { excludedMutations: ['StringLiteral'] },
  thresholds: { high: 90, low: 80, break: 80 },
  allowEmpty: false,
};
