/** The directory process. */
import './own-imports.ts';

const { runDirectoryService } = await import('../services/directory/index.ts');
await runDirectoryService();
