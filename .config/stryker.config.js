/**
 * Mutation tests of one pure room (Stryker): `make mutate ROOM=smtp`. Incremental: what neither the sources nor the tests changed is
 * not tried again. The list of survivors is printed, and kept as JSON beside the incremental file.
 */

/** What is mutated, and the tests that should notice. */
const rooms = {
  smtp: { mutate: ['src/smtp/**/*.ts'], tests: ['test/smtp/*.test.ts'] },
  tls: { mutate: ['src/tls/*.ts'], tests: ['test/tls/*.test.ts'] },
  mail: { mutate: ['src/mail/**/*.ts'], tests: ['test/mail/**/*.test.ts'] },
  config: { mutate: ['src/config/**/*.ts'], tests: ['test/config/*.test.ts'] },
  choice: {
    mutate: ['src/smtp-receive/connector-choice.ts', 'src/smtp-receive/range-index.ts', 'src/base/ip-range.ts'],
    tests: ['test/smtp-receive/connector-choice.test.ts', 'test/base/ip-range.test.ts'],
  },
  rights: {
    mutate: ['src/smtp-receive/session-rights.ts', 'src/smtp-receive/principal.ts', 'src/config/access-control.ts'],
    tests: ['test/smtp-receive/session-rights.test.ts', 'test/config/access-control.test.ts'],
  },
  routing: {
    mutate: ['src/categorizer/routing-table.ts', 'src/smtp-send/envelope-plan.ts'],
    tests: ['test/categorizer/routing-table.test.ts', 'test/smtp-send/envelope-plan.test.ts'],
  },
  queue: {
    mutate: ['src/queue/retry-plan.ts', 'src/queue/outcome-rules.ts', 'src/queue/time-heap.ts', 'src/queue/rate-meter.ts'],
    tests: ['test/queue/parts.test.ts', 'test/queue/outcome-rules.test.ts'],
  },
};

const name = process.env['ROOM'] ?? 'smtp';
const room = rooms[name];
if (room === undefined) throw new Error(`ROOM is one of ${Object.keys(rooms).join(', ')}`);

export default {
  testRunner: 'tap',
  plugins: ['@stryker-mutator/tap-runner'],
  packageManager: 'npm',
  mutate: room.mutate,
  tap: {
    testFiles: room.tests,
    nodeArgs: ['--disable-warning=ExperimentalWarning', '--test-reporter=tap', '-r', '{{hookFile}}', '{{testFile}}'],
    forceBail: true,
  },
  // The sandbox lies beside the sources: what they read by relative paths is where it was.
  tempDirName: '.stryker',
  ignorePatterns: ['.git', '.edge', '.bench', '.mutation', 'README.md'],
  coverageAnalysis: 'perTest',
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
