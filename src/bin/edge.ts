/** The `edge` command. */
import { readFileSync } from 'node:fs';
import { exitStatus, runCommand } from '../cli/index.ts';
import { statePaths } from '../supervisor/client/index.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

// Whoever reads has enough, as `head` does: that is no fault. A full disk is one.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  process.stderr.write(`edge: the output cannot be written: ${error.message}\n`);
  process.exit(exitStatus.failed);
});
// Nobody is left who could be told.
process.stderr.on('error', () => undefined);

// The services and the shell are loaded when they are asked for: `edge status` must not wait for them.
process.exitCode = await runCommand(
  process.argv.slice(2),
  {
    start: async (options) => (await import('../main.ts')).start(options),
    shell: async (options) => (await import('./shell-command.ts')).shell(options),
    directory: {
      open: async (state, options) => (await import('./directory-access.ts')).openDirectory(statePaths(state), options),
      openBackup: async (folder) => (await import('./directory-access.ts')).openBackup(folder),
    },
  },
  { out: (text) => void process.stdout.write(text), error: (text) => void process.stderr.write(text) },
  version,
);
