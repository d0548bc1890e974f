import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder and those above it, mode 0700. The runtime's own recursive mkdir turns for ever, and holds the whole process, where
 * the system answers ENOENT although the folder above is there, as below /proc. Throws what the system says.
 */
export async function makeFolder(path: string, mode = 0o700): Promise<void> {
  const wanted = resolve(path);
  try {
    await mkdir(wanted, { mode });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Whoever opens a file in it hears when it is something else than a folder.
    if (code === 'EEXIST') return;
    const above = dirname(wanted);
    if (code !== 'ENOENT' || above === wanted) throw error;
    await makeFolder(above, mode);
    await mkdir(wanted, { mode }).catch((again: NodeJS.ErrnoException) => {
      if (again.code !== 'EEXIST') throw again;
    });
  }
}
