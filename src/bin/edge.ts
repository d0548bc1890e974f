/** The `edge` command. */
import { readFileSync } from 'node:fs';
import { runCommand } from '../cli/index.ts';
import { statePaths } from '../supervisor/client/index.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

// Whoever reads has enough, as `head` does: that is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

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
