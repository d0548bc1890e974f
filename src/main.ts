/** Builds the `edge` command out of its parts. Each part is loaded when it is asked for: `edge status` must not wait for the services. */
import { readFileSync } from 'node:fs';
import { exitStatus, runCommand } from './cli/index.ts';
import { statePaths } from './processes/state/index.ts';

/** Runs the command with its arguments (without program and script); resolves with the exit status. */
export async function edge(args: readonly string[]): Promise<number> {
  heedOutput();
  return await runCommand(
    args,
    {
      start: async (options) => (await import('./services/appliance/index.ts')).start(options),
      shell: async (options) => (await import('./cli/shell/index.ts')).shell(options),
      connectors: async (state) => (await import('./services/connector-trial/index.ts')).openConnectorPlaces(state),
      directory: {
        ready: () => import('./server-state/directory/index.ts'),
        open: async (state, options) =>
          (await import('./server-state/directory/index.ts')).openDirectory(statePaths(state), options),
        openScratch: async (folder) => (await import('./server-state/directory/index.ts')).openScratch(folder),
        openBackup: async (folder) => (await import('./server-state/directory/index.ts')).openBackup(folder),
      },
    },
    { out: (text) => void process.stdout.write(text), error: (text) => void process.stderr.write(text) },
    programVersion(),
  );
}

/** A reader that has enough, as `head` does, is no fault. A full disk is one. */
function heedOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    process.stderr.write(`edge: the output cannot be written: ${error.message}\n`);
    process.exit(exitStatus.failed);
  });
  // Nothing is left to write the reason to.
  process.stderr.on('error', () => undefined);
}

function programVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
